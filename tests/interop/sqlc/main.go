// The released sqlc as a peer of sqlc-gen-c.
package main

import (
	"os"

	"github.com/sqlc-dev/sqlc/pkg/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:]))
}
