package sketch

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// wireHistogram has the field names of OpenTelemetry's exponential histogram.
type wireHistogram struct {
	Scale  int      `json:"scale"`
	Offset int      `json:"offset"`
	Counts []uint64 `json:"counts"`
}

// MarshalJSON writes {"scale":6,"offset":-638,"counts":[…]}, with no empty
// buckets at the ends; null if nothing was counted.
func (h Histogram) MarshalJSON() ([]byte, error) {
	h = h.Trim()
	if len(h.Counts) == 0 {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 40+4*len(h.Counts))
	b = append(b, `{"scale":`...)
	b = strconv.AppendInt(b, Scale, 10)
	b = append(b, `,"offset":`...)
	b = strconv.AppendInt(b, int64(h.Offset), 10)
	b = append(b, `,"counts":[`...)
	for j, n := range h.Counts {
		if j > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return append(b, "]}"...), nil
}

// UnmarshalJSON reads what MarshalJSON writes. It returns ErrHistogram,
// wrapped, for another scale or for buckets out of range.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	*h = Histogram{}
	if string(b) == "null" {
		return nil
	}
	var w wireHistogram
	if err := json.Unmarshal(b, &w); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	if w.Scale != Scale {
		return fmt.Errorf("scale %d (want %d): %w", w.Scale, Scale, ErrHistogram)
	}
	if len(w.Counts) > NumBuckets || w.Offset < MinIndex || w.Offset > MaxIndex-len(w.Counts)+1 {
		return fmt.Errorf("buckets %d to %d (want %d to %d): %w",
			w.Offset, w.Offset+len(w.Counts)-1, MinIndex, MaxIndex, ErrHistogram)
	}
	*h = Histogram{Offset: w.Offset, Counts: w.Counts}.Trim()
	return nil
}
