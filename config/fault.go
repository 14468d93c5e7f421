package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Position is a place in a file; lines and columns count from 1. The zero
// Position is that of a value that stands in no file.
type Position struct {
	Line, Column int
}

// A Fault is one thing that is wrong with a configuration.
type Fault struct {
	File string
	Position
	Path string // of the value, such as "services[0].rollout.alpha"
	Err  error  // what is wrong, and what to write instead
}

// Error returns the fault in one line: file:line:column: path: what is wrong.
func (f Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File + ":")
		if f.Line > 0 {
			fmt.Fprintf(&b, "%d:%d:", f.Line, f.Column)
		}
		b.WriteByte(' ')
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Err.Error())
	return b.String()
}

// Unwrap returns what is wrong, for errors.Is.
func (f Fault) Unwrap() error { return f.Err }

// Faults are all that is wrong with a configuration, in the order of the
// file. No Faults at all are to be returned as a nil error: see Faults.OrNil.
type Faults []Fault

// Error returns one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each fault, for errors.Is and errors.As.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

// OrNil returns fs in the order of the file, or nil if there are none.
func (fs Faults) OrNil() error {
	if len(fs) == 0 {
		return nil
	}
	slices.SortStableFunc(fs, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return fs
}
