package recorded

import (
	"bytes"
	"math"
	"time"
)

// A scanner takes a plain line apart: one flat object whose strings have no
// escapes and whose numbers are short decimals. It reports false for every
// line that it is not sure of, right or wrong; decode has the last word.
type scanner struct {
	b []byte
	i int
}

// scan reads b if it is plain.
func scan(b []byte) (r Record, ok bool) {
	s := scanner{b: b}
	r.Weight = math.NaN()
	status := 200
	var seen uint8
	if !s.take('{') {
		return r, false
	}
	for {
		key, ok := s.text()
		if !ok || !s.take(':') {
			return r, false
		}
		bit, ok := s.field(string(key), &r, &status)
		if !ok || seen&bit != 0 { // a field twice: let decode say which holds
			return r, false
		}
		seen |= bit
		if s.take(',') {
			continue
		}
		if !s.take('}') {
			return r, false
		}
		break
	}
	s.space()
	if s.i != len(s.b) || seen&required != required {
		return r, false
	}
	return r, r.setStatus(status) == nil
}

// The fields as bits, to know which were seen.
const (
	fieldTS = 1 << iota
	fieldTrack
	fieldLatency
	fieldStatus
	fieldWeight
	fieldClient
	fieldError
	required = fieldTS | fieldTrack | fieldLatency
)

// field reads the value of one field into r.
func (s *scanner) field(key string, r *Record, status *int) (bit uint8, ok bool) {
	switch key {
	case "ts":
		v, ok := s.text()
		if !ok {
			return 0, false
		}
		r.At, ok = instant(v)
		return fieldTS, ok
	case "track":
		v, ok := s.text()
		return fieldTrack, ok && r.Track.UnmarshalText(v) == nil
	case "latency_ms":
		f, ok := s.number()
		return fieldLatency, ok && r.setLatency(f) == nil
	case "status":
		f, ok := s.number()
		*status = int(f)
		return fieldStatus, ok && f == math.Trunc(f)
	case "weight":
		f, ok := s.number()
		return fieldWeight, ok && r.setWeight(f) == nil
	case "client":
		v, ok := s.text()
		r.Sticky, r.Client = len(v) > 0, 0
		if r.Sticky {
			r.Client = hash(v)
		}
		return fieldClient, ok
	case "error":
		v, ok := s.text()
		r.Failed = r.Failed || len(v) > 0
		return fieldError, ok
	case "route":
		_, ok := s.text()
		return 0, ok
	}
	return 0, s.other(key)
}

// other skips the value of a field that nobody asked for. encoding/json takes
// names in any case, so a name with capitals is left to it.
func (s *scanner) other(key string) bool {
	for i := range len(key) {
		if key[i] >= 'A' && key[i] <= 'Z' || key[i] >= 0x80 {
			return false
		}
	}
	s.space()
	if s.i < len(s.b) && s.b[s.i] == '"' {
		_, ok := s.text()
		return ok
	}
	if _, ok := s.number(); ok {
		return true
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.b[s.i:], []byte(word)) {
			s.i += len(word)
			return true
		}
	}
	return false
}

func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\r' || s.b[s.i] == '\n') {
		s.i++
	}
}

// take skips white space and the byte c, if that is what comes next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// text reads a string without escapes, control characters or anything beyond
// ASCII.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	start := s.i
	for s.i < len(s.b) {
		c := s.b[s.i]
		if c == '"' {
			s.i++
			return s.b[start : s.i-1], true
		}
		if c < 0x20 || c == '\\' || c >= 0x80 {
			return nil, false
		}
		s.i++
	}
	return nil, false
}

// powers of ten that a float64 holds exactly; with a whole number below 2^53,
// one division then rounds just as strconv.ParseFloat would (Clinger 1990,
// "How to read floating point numbers accurately").
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// number reads a decimal of at most fifteen digits, without exponent.
func (s *scanner) number() (float64, bool) {
	s.space()
	i, negative := s.i, false
	if i < len(s.b) && s.b[i] == '-' {
		negative = true
		i++
	}
	start, whole, places := i, uint64(0), -1
	digits := 0
	for ; i < len(s.b); i++ {
		c := s.b[i]
		if c == '.' && places < 0 && digits > 0 {
			places = 0
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		whole = whole*10 + uint64(c-'0')
		digits++
		if places >= 0 {
			places++
		}
		if digits > 15 {
			return 0, false
		}
	}
	leadingZero := digits > 1 && s.b[start] == '0' && s.b[start+1] != '.'
	if digits == 0 || places == 0 || leadingZero || i < len(s.b) && (s.b[i] == 'e' || s.b[i] == 'E' || s.b[i] == '.') {
		return 0, false
	}
	f := float64(whole)
	if places > 0 {
		f /= tens[places]
	}
	if negative {
		f = -f
	}
	s.i = i
	return f, true
}

// instant reads 2026-11-22T17:00:00[.123456789]Z.
func instant(b []byte) (time.Time, bool) {
	if len(b) < 20 || len(b) > 30 || b[len(b)-1] != 'Z' ||
		b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	// Days that some months lack are left to time.Parse.
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || month < 1 || month > 12 || day < 1 || day > 28 ||
		hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos := 0
	if frac := b[19 : len(b)-1]; len(frac) > 0 {
		n, ok := digits(frac[1:])
		if !ok || frac[0] != '.' || len(frac) < 2 {
			return time.Time{}, false
		}
		nanos = n
		for range 10 - len(frac) {
			nanos *= 10
		}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, time.UTC), true
}

// digits reads at most nine decimal digits.
func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(b) > 0 && len(b) <= 9
}
