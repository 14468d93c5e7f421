package haldane

import "fmt"

// A Class is the kind of outcome a request had. Its order is one of badness
// only between answers and failures; see Failed.
type Class uint8

// The classes. NumClasses is their number, for arrays indexed by Class.
const (
	OK          Class = iota // answered with a status below 400
	ClientError              // answered with 400 to 499
	ServerError              // answered with 500 or more
	Timeout                  // no whole answer before the deadline
	Reset                    // the connection broke after the request was sent
	Unreachable              // no connection could be made; nothing was sent
	Canceled                 // the client went away first: tells nothing of the version
	NumClasses  = 7
)

var classNames = [NumClasses]string{
	"ok", "client_error", "server_error", "timeout", "reset", "unreachable", "canceled",
}

// ClassOf returns the class of an answer with the given HTTP status.
func ClassOf(status int) Class {
	switch {
	case status >= 500:
		return ServerError
	case status >= 400:
		return ClientError
	}
	return OK
}

// String returns c's name as it stands in metrics, such as "server_error".
func (c Class) String() string {
	if c >= NumClasses {
		return fmt.Sprintf("class(%d)", uint8(c))
	}
	return classNames[c]
}

// Failed reports whether c counts as an error of the version that served it.
// A client's own mistake (ClientError) does not.
func (c Class) Failed() bool {
	switch c {
	case ServerError, Timeout, Reset, Unreachable:
		return true
	case OK, ClientError, Canceled:
	}
	return false
}

// Counted reports whether c is an observation of the version at all: a
// request that its client gave up is not.
func (c Class) Counted() bool { return c != Canceled }

// MarshalText returns c's name.
func (c Class) MarshalText() ([]byte, error) {
	if c >= NumClasses {
		return nil, fmt.Errorf("marshal %v: %w", c, ErrUnknownClass)
	}
	return []byte(classNames[c]), nil
}

// UnmarshalText sets c from its name, or returns ErrUnknownClass, wrapped.
func (c *Class) UnmarshalText(b []byte) error {
	for i, name := range classNames {
		if name == string(b) {
			*c = Class(i)
			return nil
		}
	}
	return fmt.Errorf("class %q: %w", b, ErrUnknownClass)
}
