// Command peer-pgx measures pgx for ./dev bench pgc. It is started with a connection string, reads
// one request a line and answers each with one number:
//
//	decode               client CPU seconds for 100,000 rows of 12 columns, into structs
//	load CONNS N SECONDS point reads per second, N goroutines on a pool of CONNS connections
//
// pgx is used as its documents advise: binary formats and prepared statements by default, Scan into
// fields of pgtype or Go types without reflection over maps.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The same text as in bench/pgc/decode.c.
const decodeSQL = `SELECT n AS id, (n % 7)::int AS owner_id, 'IMG_' || n || '.jpg' AS name,` +
	` '2024/06/IMG_' || n || '.jpg' AS path,` +
	` '0190163d-8694-739b-aea5-966c26f8ad91'::uuid AS hash, n * 1000 AS size,` +
	` CASE WHEN n % 10 > 0 THEN 4000 END AS width,` +
	` CASE WHEN n % 10 > 0 THEN 3000 END AS height,` +
	` CASE WHEN n % 5 > 0 THEN timestamptz '2024-06-01' END AS taken_at,` +
	` CASE WHEN n % 2 > 0 THEN 2.5::float8 END AS rating,` +
	` CASE WHEN n % 4 = 0 THEN 'a note' END AS note, n % 3 = 0 AS hidden` +
	` FROM generate_series(1::bigint, 100000) AS n`

type row struct {
	id            int64
	ownerID       int32
	name, path    string
	hash          pgtype.UUID
	size          int64
	width, height pgtype.Int4
	takenAt       pgtype.Timestamptz
	rating        pgtype.Float8
	note          pgtype.Text
	hidden        bool
}

func cpuSeconds() float64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return float64(use.Utime.Nano()+use.Stime.Nano()) / 1e9
}

func decode(ctx context.Context, conn *pgx.Conn) (float64, error) {
	start := cpuSeconds()
	rows, err := conn.Query(ctx, decodeSQL)
	if err != nil {
		return 0, err
	}
	all := make([]row, 0, 100000)
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.ownerID, &r.name, &r.path, &r.hash, &r.size, &r.width,
			&r.height, &r.takenAt, &r.rating, &r.note, &r.hidden); err != nil {
			return 0, err
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if len(all) != 100000 || all[99999].id != 100000 {
		return 0, fmt.Errorf("%d rows", len(all))
	}
	return cpuSeconds() - start, nil
}

const assetSQL = `SELECT asset_id, original_filename, file_path, file_size, file_hash, mime_type,` +
	` asset_type, repository_id, owner_id, uploaded_at, taken_at, created_at, updated_at,` +
	` camera_make, camera_model, lens_model, iso, aperture, shutter_speed, focal_length, latitude,` +
	` longitude, altitude, width, height, duration, description, rating, liked, is_raw,` +
	` is_transcoded, transcoded_path, taken_local, taken_offset_minutes, taken_source, deleted_at,` +
	` filename_bytes FROM assets WHERE asset_id = $1 AND deleted_at IS NULL`

// asset has the types that sqlc with sql_package pgx/v5 gives these columns.
type asset struct {
	id                         pgtype.UUID
	originalFilename, filePath string
	fileSize                   int64
	fileHash, mimeType         pgtype.Text
	assetType                  string
	repositoryID               pgtype.UUID
	ownerID                    int32
	uploadedAt                 pgtype.Timestamptz
	takenAt                    pgtype.Timestamptz
	createdAt, updatedAt       pgtype.Timestamptz
	cameraMake, cameraModel    pgtype.Text
	lensModel                  pgtype.Text
	iso                        pgtype.Int4
	aperture                   pgtype.Numeric
	shutterSpeed               pgtype.Text
	focalLength                pgtype.Numeric
	latitude, longitude        pgtype.Numeric
	altitude                   pgtype.Numeric
	width, height              pgtype.Int4
	duration                   pgtype.Numeric
	description                pgtype.Text
	rating                     pgtype.Int4
	liked, isRaw, isTranscoded bool
	transcodedPath             pgtype.Text
	takenLocal                 pgtype.Timestamp
	takenOffsetMinutes         pgtype.Int2
	takenSource                pgtype.Text
	deletedAt                  pgtype.Timestamptz
	filenameBytes              []byte
}

func (a *asset) fields() []any {
	return []any{&a.id, &a.originalFilename, &a.filePath, &a.fileSize, &a.fileHash, &a.mimeType,
		&a.assetType, &a.repositoryID, &a.ownerID, &a.uploadedAt, &a.takenAt, &a.createdAt,
		&a.updatedAt, &a.cameraMake, &a.cameraModel, &a.lensModel, &a.iso, &a.aperture,
		&a.shutterSpeed, &a.focalLength, &a.latitude, &a.longitude, &a.altitude, &a.width,
		&a.height, &a.duration, &a.description, &a.rating, &a.liked, &a.isRaw, &a.isTranscoded,
		&a.transcodedPath, &a.takenLocal, &a.takenOffsetMinutes, &a.takenSource, &a.deletedAt,
		&a.filenameBytes}
}

type loader struct {
	url  string
	pool *pgxpool.Pool
	ids  []pgtype.UUID
}

func (l *loader) open(ctx context.Context, conns int) error {
	if l.pool != nil {
		return nil
	}
	config, err := pgxpool.ParseConfig(l.url)
	if err != nil {
		return err
	}
	config.MaxConns = int32(conns)
	config.MinConns = int32(conns)
	if l.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	rows, err := l.pool.Query(ctx, "SELECT asset_id FROM assets ORDER BY md5(file_path) LIMIT 4096")
	if err != nil {
		return err
	}
	l.ids, err = pgx.CollectRows(rows, pgx.RowTo[pgtype.UUID])
	return err
}

func (l *loader) load(ctx context.Context, conns, workers int, seconds float64) (float64, error) {
	if err := l.open(ctx, conns); err != nil {
		return 0, err
	}
	counts := make([]int, workers)
	errs := make([]error, workers)
	var group sync.WaitGroup
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	for w := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for at := w * 97; time.Now().Before(end); at++ {
				var a asset
				id := l.ids[at%len(l.ids)]
				if err := l.pool.QueryRow(ctx, assetSQL, id).Scan(a.fields()...); err != nil {
					errs[w] = err
					return
				}
				counts[w]++
			}
		}()
	}
	group.Wait()
	elapsed := time.Since(start).Seconds()
	total := 0
	for w := range workers {
		if errs[w] != nil {
			return 0, errs[w]
		}
		total += counts[w]
	}
	return float64(total) / elapsed, nil
}

func answer(ctx context.Context, line string, conn *pgx.Conn, l *loader) (float64, error) {
	if line == "decode" {
		return decode(ctx, conn)
	}
	var conns, workers int
	var seconds float64
	if n, _ := fmt.Sscanf(line, "load %d %d %f", &conns, &workers, &seconds); n == 3 {
		return l.load(ctx, conns, workers, seconds)
	}
	return 0, fmt.Errorf("unknown request")
}

func main() {
	ctx := context.Background()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: peer-pgx CONNECTION-STRING")
		os.Exit(2)
	}
	conn, err := pgx.Connect(ctx, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer-pgx:", err)
		os.Exit(1)
	}
	l := &loader{url: os.Args[1]}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		value, err := answer(ctx, strings.TrimSpace(in.Text()), conn, l)
		if err != nil {
			fmt.Printf("failed: %v\n", err)
			continue
		}
		fmt.Printf("%.9g\n", value)
	}
}
