package haldane

import "errors"

// Errors that callers test for with errors.Is.
var (
	ErrUnknownTrack = errors.New("unknown track")
	ErrUnknownClass = errors.New("unknown class")
	ErrWeightRange  = errors.New("weight out of range")
	ErrWeightSyntax = errors.New("not a weight")
	ErrMargin       = errors.New("not a margin")

	// ErrConflict: something later or other is already there. Whoever meant to
	// write it is not the only one who decides, and has to look again.
	ErrConflict = errors.New("something else is already there")
)
