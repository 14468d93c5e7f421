package config

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxSize is the longest file that is read.
const maxSize = 1 << 20

// Load reads the file at path. It returns Faults if the file is not fit to
// serve by.
func Load(path string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration (give its path with -c): %w", err)
	}
	return Parse(path, b)
}

// Parse reads the text b of the file that faults are to call name. It returns
// Faults if the text is not fit to serve by: all of them, those of form and
// those of content.
func Parse(name string, b []byte) (*Config, error) {
	c, faults := read(name, b)
	if err := faults.OrNil(); err != nil {
		return nil, err
	}
	return c, nil
}

// read is Parse that returns what could be read beside the faults; nil if the
// text is no YAML at all.
func read(name string, b []byte) (*Config, Faults) {
	r := &reader{file: name, anchors: make(map[string]ast.Node), at: make(map[string]Position)}
	c := Default()
	c.file, c.at = name, r.at
	root, err := tree(b)
	if err != nil {
		return nil, Faults{syntaxFault(name, err)}
	}
	top := Position{1, 1}
	r.at[""] = top // also if there is nothing
	if root != nil {
		r.value("", top, root).config(c)
	}
	if r.values > maxValues {
		r.faults = append(r.faults, Fault{File: name, Err: fmt.Errorf("more than %d values, aliases counted as often as they are used", maxValues)})
	}
	return c, append(r.faults, r.others(c.check())...)
}

// others returns those of fs that do not follow from a fault of r's: what
// could not be read is not also missing.
func (r *reader) others(fs Faults) Faults {
	unread := make(map[string]bool, len(r.faults))
	for _, f := range r.faults {
		unread[f.Path] = true
	}
	return slices.DeleteFunc(fs, func(f Fault) bool {
		for path := f.Path; path != ""; path = parent(path) {
			if unread[path] {
				return true
			}
		}
		return false
	})
}

// tree returns the one document of b, or nil if it is empty.
func tree(b []byte) (root ast.Node, err error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("longer than %d bytes", maxSize)
	}
	// The YAML library has been seen to panic on texts that are far from YAML;
	// for whoever wrote them that is one more fault.
	defer func() {
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("not YAML: %v", p)
		}
	}()
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.NullType:
		case root != nil:
			f := Fault{Err: errors.New("more than one document: remove the --- and what follows")}
			f.Position = position(doc.Body)
			if doc.Start != nil {
				f.Position = Position{doc.Start.Position.Line, doc.Start.Position.Column}
			}
			return nil, f
		default:
			root = doc.Body
		}
	}
	return root, nil
}

// syntaxFault returns the fault of a text that is not YAML.
func syntaxFault(name string, err error) Fault {
	if f, ok := errors.AsType[Fault](err); ok {
		f.File = name
		return f
	}
	f := Fault{File: name, Err: err}
	if broken, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		f.Err = errors.New("not YAML: " + broken.Message)
		if broken.Token != nil && broken.Token.Position != nil {
			f.Position = Position{broken.Token.Position.Line, broken.Token.Position.Column}
		}
	}
	return f
}
