package rollout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"github.com/haldane-canary/haldane"
)

// A record is one line of the journal. Exactly one of its members is set.
type record struct {
	Header *marker `json:"header,omitempty"` // the first line: which folder this journal belongs to
	Entry  *entry  `json:"entry,omitempty"`
}

// An entry says how the history of a rollout goes on: with Decisions, in place
// of all that it had from the first of their numbers on; and that the first
// Accepted of the history are known to be in the log. What must become true
// together, such as a reversal that makes way for a decision of the log's and
// takes the next number, is one entry, so that no crash can come in between.
type entry struct {
	Service   string             `json:"service"`
	Rollout   string             `json:"rollout"`
	Decisions []haldane.Decision `json:"decisions,omitempty"`
	Accepted  int                `json:"accepted"`
}

// A line is {"crc":"xxxxxxxx","record":…}: the CRC is of the bytes of the
// record, and every byte of the frame is fixed, so that no flipped bit passes.
const (
	frameHead = `{"crc":"`
	frameMid  = `","record":`
	frameTail = `}`
	crcDigits = 8
	bodyAt    = len(frameHead) + crcDigits + len(frameMid)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodeLine returns r as a line of the journal, with its line end.
func encodeLine(r record) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode journal record: %w", err)
	}
	return append(frame(body), '\n'), nil
}

// frame returns body in its frame, without a line end.
func frame(body []byte) []byte {
	line := make([]byte, 0, bodyAt+len(body)+2)
	line = fmt.Appendf(line, "%s%08x%s", frameHead, crc32.Checksum(body, castagnoli), frameMid)
	line = append(line, body...)
	return append(line, frameTail...)
}

// decodeLine returns the record of a line without its line end, or
// ErrDamaged, wrapped, with what is wrong with it.
func decodeLine(line []byte) (record, error) {
	if len(line) < bodyAt+len(frameTail) {
		return record{}, fmt.Errorf("too short for a record: %w", ErrDamaged)
	}
	body := line[bodyAt : len(line)-len(frameTail)]
	if !bytes.Equal(line, frame(body)) {
		return record{}, fmt.Errorf("the checksum does not fit: %w", ErrDamaged)
	}
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return record{}, fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	if (r.Header == nil) == (r.Entry == nil) {
		return record{}, fmt.Errorf("a record of no kind that this version knows: %w", ErrDamaged)
	}
	return r, nil
}
