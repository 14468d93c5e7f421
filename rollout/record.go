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
	Header   *marker           `json:"header,omitempty"`   // the first line: which folder this journal belongs to
	Decision *haldane.Decision `json:"decision,omitempty"` // not yet known to be in the log
	Accepted *haldane.Decision `json:"accepted,omitempty"` // known to be in the log
	Ack      *number           `json:"ack,omitempty"`      // a decision written before is now known to be in the log
}

// A number names a decision.
type number struct {
	Service string `json:"service"`
	Rollout string `json:"rollout"`
	Seq     uint64 `json:"seq"`
}

// numberOf returns d's number.
func numberOf(d haldane.Decision) number { return number{d.Service, d.Rollout, d.Seq} }

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
	set := 0
	for _, is := range []bool{r.Header != nil, r.Decision != nil, r.Accepted != nil, r.Ack != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return record{}, fmt.Errorf("a record of no kind that this version knows: %w", ErrDamaged)
	}
	return r, nil
}
