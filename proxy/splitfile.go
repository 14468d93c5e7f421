package proxy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/haldane-canary/haldane"
)

// ErrSplitFile is returned, wrapped, for a split file that cannot be believed.
var ErrSplitFile = errors.New("split file is damaged")

// splitFileFormat is the version of the file's format.
const splitFileFormat = 1

// A SplitFile keeps the last known splits across a proxy's own restart, so
// that it goes on with the weights it had even if its controller is gone. The
// file is replaced whole: a crash leaves the old one or the new one.
type SplitFile struct {
	Path string
}

// splitFile is the file's content.
type splitFile struct {
	Format int             `json:"format"`
	SHA256 string          `json:"sha256"` // of Splits, as written
	Splits json.RawMessage `json:"splits"`
}

// Load returns the splits saved last; none if the file does not exist. A
// damaged file is ErrSplitFile, wrapped: serving then begins with weight 0,
// which is always safe.
func (f SplitFile) Load() ([]haldane.Split, error) {
	b, err := os.ReadFile(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read last known splits: %w", err)
	}
	splits, err := decodeSplits(b)
	if err != nil {
		return nil, fmt.Errorf("read last known splits from %s (delete it to begin with weight 0): %w", f.Path, err)
	}
	return splits, nil
}

// Save replaces what was saved, durably: when it returns nil, a power failure
// cannot bring the old splits back.
func (f SplitFile) Save(splits []haldane.Split) error {
	b, err := encodeSplits(splits)
	if err != nil {
		return fmt.Errorf("save splits: %w", err)
	}
	dir := filepath.Dir(f.Path)
	temp, err := os.CreateTemp(dir, filepath.Base(f.Path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("save splits: %w", err)
	}
	_, err = temp.Write(b)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), f.Path)
	}
	if err != nil {
		return fmt.Errorf("save splits: %w", errors.Join(err, os.Remove(temp.Name())))
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("save splits: %w", err)
	}
	return nil
}

// syncDir makes the renaming of a file in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// encodeSplits returns the content of a file that keeps splits.
func encodeSplits(splits []haldane.Split) ([]byte, error) {
	if splits == nil {
		splits = []haldane.Split{}
	}
	inner, err := json.Marshal(splits)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(inner)
	b, err := json.Marshal(splitFile{Format: splitFileFormat, SHA256: hex.EncodeToString(sum[:]), Splits: inner})
	return append(b, '\n'), err
}

// decodeSplits reads what encodeSplits has written, to the byte; anything else
// is ErrSplitFile, wrapped.
func decodeSplits(b []byte) ([]haldane.Split, error) {
	var file splitFile
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSplitFile, err)
	}
	if file.Format != splitFileFormat {
		return nil, fmt.Errorf("format %d (want %d): %w", file.Format, splitFileFormat, ErrSplitFile)
	}
	sum := sha256.Sum256(file.Splits)
	if file.SHA256 != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("checksum does not match: %w", ErrSplitFile)
	}
	var splits []haldane.Split
	if err := json.Unmarshal(file.Splits, &splits); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSplitFile, err)
	}
	return splits, nil
}
