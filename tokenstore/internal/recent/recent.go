// Package recent keeps values for the keys that were added last.
package recent

import (
	"slices"
	"sync"
)

// maxKeys bounds what a process remembers. To forget is no harm but a fetch or
// a command.
const maxKeys = 4096

// Map holds values for at most 4096 keys; of more, those that were added first
// go. It is safe for concurrent use. The zero Map is empty.
type Map[V any] struct {
	mu     sync.Mutex
	values map[string]V
	order  []string // the keys, the oldest first
}

// Get returns the value for key, or the zero value and false.
func (m *Map[V]) Get(key string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, found := m.values[key]
	return value, found
}

// Update replaces the value for key, or the zero value where there is none, with
// what change makes of it. The values that Get returned must not change.
func (m *Map[V]) Update(key string, change func(V) V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, found := m.values[key]
	if !found {
		if m.values == nil {
			m.values = make(map[string]V)
		}
		if len(m.order) == maxKeys {
			delete(m.values, m.order[0])
			m.order = slices.Delete(m.order, 0, 1)
		}
		m.order = append(m.order, key)
	}
	m.values[key] = change(old)
}

// Delete removes key.
func (m *Map[V]) Delete(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.values[key]; !found {
		return
	}
	delete(m.values, key)
	i := slices.Index(m.order, key)
	m.order = slices.Delete(m.order, i, i+1)
}
