// Package token is what both stores know of a token: whose it is, how long it
// lives and whether it is one at all.
package token
