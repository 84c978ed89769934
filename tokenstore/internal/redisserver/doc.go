// Package redisserver runs real Redis servers for tests and for the fleet: alone,
// as primary and replica with sentinels, and as a cluster. Each listens on a
// loopback port of its own, keeps its files in a folder of its own, and is killed
// with the program that started it.
package redisserver
