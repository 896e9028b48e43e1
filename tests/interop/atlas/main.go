// Program atlas-peer runs Atlas' own directory and splitter code, for the tests that compare it
// with ours.
//
//	atlas-peer sum DIR        print the sum file of a directory
//	atlas-peer validate DIR   print "ok", "LINE FILE REASON" or the error
//	atlas-peer split          cut the inputs on stdin
//
// Frames on stdin and stdout are little-endian. Input: length (4 bytes), text. Output: number of
// statements (4 bytes, -1 for an error, -2 for a crash), then position, length and text of each.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"ariga.io/atlas/sql/migrate"
)

func scan(input string) (stmts []*migrate.Stmt, code int32) {
	defer func() {
		if recover() != nil {
			stmts, code = nil, -2
		}
	}()
	scanner := &migrate.Scanner{ScannerOptions: migrate.ScannerOptions{
		MatchBegin:       true,
		MatchBeginAtomic: true,
		MatchDollarQuote: true,
		EscapedStringExt: true,
	}}
	stmts, err := scanner.Scan(input)
	if err != nil {
		return nil, -1
	}
	return stmts, int32(len(stmts))
}

func split() error {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		var size uint32
		if err := binary.Read(in, binary.LittleEndian, &size); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil {
			return err
		}
		stmts, code := scan(string(text))
		binary.Write(out, binary.LittleEndian, code)
		for _, s := range stmts {
			binary.Write(out, binary.LittleEndian, []uint32{uint32(s.Pos), uint32(len(s.Text))})
			out.WriteString(s.Text)
		}
	}
}

func run(args []string) error {
	if args[0] == "split" {
		return split()
	}
	dir, err := migrate.NewLocalDir(args[1])
	if err != nil {
		return err
	}
	if args[0] == "validate" {
		var located *migrate.ChecksumError
		switch err := migrate.Validate(dir); {
		case err == nil:
			fmt.Print("ok")
		case errors.As(err, &located):
			fmt.Printf("%d %s %s", located.Line, located.File, located.Reason)
		default:
			fmt.Print(err)
		}
		return nil
	}
	sum, err := dir.Checksum()
	if err != nil {
		return err
	}
	text, err := sum.MarshalText()
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	return err
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
