// Package fetch knows when net/http sends with a browser's fetch, which follows
// redirects before any Go code sees them, and keeps it from doing so.
package fetch
