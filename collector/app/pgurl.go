package app

import (
	"fmt"
	"net/url"
)

// password is the one in a postgres:// address, empty when there is none.
func password(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return ""
	}
	p, _ := u.User.Password()
	return p
}

// withoutPassword is the address for a command line.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return address
	}
	u.User = url.User(u.User.Username())
	return u.String()
}

// otherDatabase is the address of another database of the same server.
func otherDatabase(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("reading the address of the database: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}
