package config_test

import (
	"errors"
	"testing"

	"example.com/routeauth/tokenstore/internal/config"
	"github.com/stretchr/testify/assert"
)

func TestWhatIsNilIsSaidToBe(t *testing.T) {
	var (
		pointer  *int
		function func()
		table    map[string]int
		slice    []int
		channel  chan int
	)
	for _, value := range []any{nil, pointer, function, table, slice, channel} {
		assert.NotEmpty(t, config.NilProblem(value), "%T", value)
	}
	for _, value := range []any{0, "", struct{}{}, new(int), func() {}, []int{}} {
		assert.Empty(t, config.NilProblem(value), "%T", value)
	}
}

func TestEveryOptionIsAppliedAndEveryErrorKept(t *testing.T) {
	type option func(*int) error
	wrong, missing := errors.New("wrong"), errors.New("missing")
	add := func(err error) option { return func(n *int) error { *n++; return err } }
	n := 0
	errs := config.Apply(&n, []option{add(wrong), nil, add(nil)}, func(i int) error {
		assert.Equal(t, 1, i)
		return missing
	})
	assert.Equal(t, 2, n)
	assert.Equal(t, []error{wrong, missing, nil}, errs)
}
