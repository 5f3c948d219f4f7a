// Package e2e owns the tests that run the real agent against the real collector, over
// loopback mTLS, on this machine's real packages. It refuses mocks: what it needs is
// built or started by its tests and stopped by them. The tests install and remove
// packages of their own, so they want root on a machine that may be thrown away.
package e2e
