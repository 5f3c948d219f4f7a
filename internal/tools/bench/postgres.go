package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgres starts a server of its own on 127.0.0.1 with the settings that Debian gives
// it, and returns its database.
func (r *run) postgres() (database, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return database{}, errors.New("no PostgreSQL under /usr/lib/postgresql; install it with: apt-get install postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir := r.path("postgres")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return database{}, err
	}
	as, err := other(dir)
	if err != nil {
		return database{}, err
	}
	data := filepath.Join(dir, "data")
	if _, err := asUser(as, dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "vigia", "-E", "UTF8", "--locale=C", "-A", "trust"); err != nil {
		return database{}, err
	}
	addr, err := freePort()
	if err != nil {
		return database{}, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return database{}, err
	}
	s, err := r.start(as, syscall.SIGINT, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", port, "-c", "listen_addresses=127.0.0.1")
	if err != nil {
		return database{}, err
	}
	sql := func(statement string) (string, error) {
		return asUser(as, dir, filepath.Join(bin, "psql"), "-X", "-A", "-t", "-h", "127.0.0.1", "-p", port, "-U", "vigia", "-d", "postgres", "-c", statement)
	}
	err = r.waitFor(s, time.Minute, "starting PostgreSQL", func() bool {
		_, err := sql("select 1")
		return err == nil
	})
	flags := []string{"--database-url", "postgres://vigia@" + addr + "/postgres?sslmode=disable"}
	return database{engine: "PostgreSQL", flags: flags, pid: s.cmd.Process.Pid, sql: sql, size: func() (int64, error) {
		if _, err := sql("vacuum"); err != nil {
			return 0, err
		}
		out, err := sql("select pg_database_size('postgres')")
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(out, 10, 64)
	}}, err
}

// other is the user that PostgreSQL runs as: it refuses to be root.
func other(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root and there is no user postgres: %w", err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func asUser(as *syscall.Credential, dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}
