// Program river-peer runs River's own migrator, for the tests that compare it with ours.
//
//	river-peer up|down URL SCHEMA VERSION   migrate; VERSION as in rivermigrate (0: default, -1: all)
//	river-peer validate URL SCHEMA          exit 1 when migrations are missing
//	river-peer list URL SCHEMA              applied versions, one per line
//	river-peer serve URL SCHEMA ID          a client that is told what to do, see serve.go
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

func run(args []string) error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, args[1])
	if err != nil {
		return err
	}
	defer pool.Close()
	if args[0] == "serve" {
		return serve(ctx, pool, args[2], args[3])
	}
	config := &rivermigrate.Config{Schema: args[2]}
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), config)
	if err != nil {
		return err
	}
	switch args[0] {
	case "up", "down":
		target, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		direction := rivermigrate.DirectionUp
		if args[0] == "down" {
			direction = rivermigrate.DirectionDown
		}
		_, err = migrator.Migrate(ctx, direction, &rivermigrate.MigrateOpts{TargetVersion: target})
		return err
	case "validate":
		res, err := migrator.Validate(ctx, nil)
		if err == nil && !res.OK {
			err = fmt.Errorf("%v", res.Messages)
		}
		return err
	case "list":
		versions, err := migrator.ExistingVersions(ctx)
		for _, version := range versions {
			fmt.Println(version.Version)
		}
		return err
	}
	return fmt.Errorf("unknown command %s", args[0])
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
