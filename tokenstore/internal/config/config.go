// Package config checks what constructors are given.
package config

import (
	"fmt"
	"reflect"
)

// NilProblem says what is wrong with a value that is nil or that an interface
// holds as nil, or returns "" where it is neither. Used, it would panic far from
// the mistake.
func NilProblem(value any) string {
	if value == nil {
		return "is nil"
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		if v.IsNil() {
			return fmt.Sprintf("is a nil %T", value)
		}
	}
	return ""
}

// Apply applies options to c and returns what is wrong with them. Of an option
// that is nil it asks ifNil for an error.
func Apply[C any, O ~func(*C) error](c *C, opts []O, ifNil func(index int) error) (errs []error) {
	for i, opt := range opts {
		if opt == nil {
			errs = append(errs, ifNil(i))
			continue
		}
		errs = append(errs, opt(c))
	}
	return errs
}
