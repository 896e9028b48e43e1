// Program riverui-peer is River UI's own API server on a database of ours, without a port: requests
// come line by line.
//
//	riverui-peer serve URL SCHEMA ID   ID is not used
//
// A line is a method, a path and perhaps a JSON body. The answer is one line: "+", the status and the
// body, or "-" and the error.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"riverqueue.com/riverui"
)

func open(ctx context.Context, url, schema string) (http.Handler, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{Schema: schema})
	if err != nil {
		return nil, err
	}
	handler, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(client, nil),
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	return handler, handler.Start(ctx)
}

func answer(handler http.Handler, line string) string {
	method, rest, _ := strings.Cut(line, " ")
	path, body, _ := strings.Cut(rest, " ")
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	text, err := io.ReadAll(recorder.Result().Body)
	if err != nil {
		return "-" + err.Error()
	}
	return fmt.Sprintf("+%d %s", recorder.Code, strings.ReplaceAll(string(text), "\n", " "))
}

func main() {
	handler, err := open(context.Background(), os.Args[2], os.Args[3])
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, end := lines.ReadString('\n')
		switch {
		case end != nil:
			return // told to end
		case err != nil:
			fmt.Println("-" + strings.ReplaceAll(err.Error(), "\n", " "))
		default:
			fmt.Println(answer(handler, strings.TrimSuffix(line, "\n")))
		}
	}
}
