package recorded

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line that is read, in bytes.
const maxLine = 1 << 20

// A Reader reads records from a stream.
type Reader struct {
	in   *bufio.Reader
	line int
}

// NewReader returns a reader of r.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, maxLine)}
}

// Line returns the number of the line that Next read last, from 1.
func (r *Reader) Line() int { return r.line }

// Next returns the next record, io.EOF after the last one, or ErrLine, wrapped
// with the number of the line. Blank lines are passed over.
func (r *Reader) Next() (Record, error) {
	for {
		b, err := r.in.ReadSlice('\n')
		if len(b) > 0 {
			r.line++
		}
		if r.line == 1 {
			b = bytes.TrimPrefix(b, []byte("\ufeff")) // the byte order mark that some editors write
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return Record{}, fmt.Errorf("line %d: %w: longer than %d bytes", r.line, ErrLine, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return Record{}, fmt.Errorf("read line %d: %w", r.line+1, err)
		case len(bytes.TrimSpace(b)) == 0 && err != nil:
			return Record{}, io.EOF
		case len(bytes.TrimSpace(b)) == 0:
			continue
		}
		if rec, ok := scan(b); ok {
			return rec, nil
		}
		rec, err := decode(b)
		if err != nil {
			return Record{}, fmt.Errorf("line %d: %w", r.line, err)
		}
		return rec, nil
	}
}
