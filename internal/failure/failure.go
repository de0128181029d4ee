// Package failure is the one domain error: a code, a message that is safe to show,
// and a private cause. The API packages own the tables that turn codes into wire
// codes, statuses and shapes; the store and the cores know no wire format.
package failure

import (
	"errors"
	"fmt"
)

// Code names a failure. Codes are spelled as AWS spells them where AWS has a name
// for the situation ("NoSuchBucket", "DisabledException", "AccessDenied").
type Code string

// Field is a detail that belongs to the failure, such as BucketName or ArgumentValue.
type Field struct{ Name, Value string }

// Error is a failure that a client may see. Cause never leaves the process except in logs.
type Error struct {
	Code    Code
	Message string
	Fields  []Field
	// Decision is the denial behind an access failure: a *policy.Decision, or nil.
	Decision any
	Cause    error
}

// New makes an Error; fields are name, value pairs.
func New(code Code, message string, fields ...string) *Error {
	e := &Error{Code: code, Message: message}
	for i := 0; i+1 < len(fields); i += 2 {
		e.Fields = append(e.Fields, Field{fields[i], fields[i+1]})
	}
	return e
}

// Newf makes an Error with a formatted message.
func Newf(code Code, format string, args ...any) *Error {
	return New(code, fmt.Sprintf(format, args...))
}

// Because returns a copy of e with a private cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// Error is for logs: code, message and cause.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is compare by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Of returns the Error in err's chain, or nil.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// CodeOf returns the code of err, or "" when err carries none.
func CodeOf(err error) Code {
	if e := Of(err); e != nil {
		return e.Code
	}
	return ""
}
