package recent_test

import (
	"fmt"
	"testing"

	"example.com/routeauth/tokenstore/internal/recent"
	"github.com/stretchr/testify/assert"
)

func put(v int) func(int) int { return func(int) int { return v } }

func TestTheKeyThatWasAddedFirstGoesFirst(t *testing.T) {
	var m recent.Map[int]
	for i := range 4096 {
		m.Update(fmt.Sprint(i), put(i))
	}
	m.Update("0", put(7)) // it is still the oldest
	m.Update("one more", put(1))

	_, found := m.Get("0")
	assert.False(t, found)
	value, found := m.Get("1")
	assert.True(t, found)
	assert.Equal(t, 1, value)
}

func TestADeletedKeyMakesRoom(t *testing.T) {
	var m recent.Map[int]
	for i := range 4096 {
		m.Update(fmt.Sprint(i), put(i))
	}
	m.Delete("2000")
	m.Delete("2000")
	m.Delete("never there")
	m.Update("one more", put(1))

	_, found := m.Get("0")
	assert.True(t, found)
	_, found = m.Get("2000")
	assert.False(t, found)
}
