// Package integration holds no code but tests: routeauth inside the clients,
// and beside the transports, that programs use it with. It is a module of its
// own, so that what it depends on reaches nobody.
package integration
