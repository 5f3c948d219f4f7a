// Package packagetest makes the packages and lives with them: installs, upgrades and
// removes them in real systems. It has no code of its own; its tests need root, as
// `make test` has.
package packagetest
