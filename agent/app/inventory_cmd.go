package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"vigia/agent/internal/present"
	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

type inventoryCmd struct {
	Root    string   `help:"Take the inventory of this folder as if it were /, a mounted image or a chroot; nothing of the host is read." default:"/" type:"path" placeholder:"DIR"`
	Section []string `help:"Only this section: machine, hardware, system, software, antivirus, sources. May be repeated." placeholder:"NAME"`
	Hash    bool     `help:"Compute the SHA-256 of executables that no package owns (reads all of them)."`
	Cache   string   `help:"Folder where costly answers are kept between runs: ${cache} unless given; none keeps nothing. Another --root keeps nothing unless this is given." env:"VIGIA_CACHE" placeholder:"DIR"`
	Output  string   `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*inventoryCmd) Help() string {
	return `Examples:
  vigia-agent inventory
  vigia-agent inventory --section software --output json
  vigia-agent inventory --root /mnt/image --output json`
}

func (c *inventoryCmd) Run(s *session) error {
	sections, err := parseSections(c.Section)
	if err != nil {
		return &exitError{ExitUsage, err}
	}
	snap, err := takeOnce(s, c.Root, c.Cache, c.Hash, sections)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return writeSections(s, snap, sections)
	}
	return present.Table(s.out, snap, sections)
}

// takeOnce runs the probes of the given sections, all where none is named.
func takeOnce(s *session, root, cache string, hash bool, sections []inventory.Section) (*inventory.Snapshot, error) {
	info, err := os.Stat(root)
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, &exitError{ExitUsage, fmt.Errorf("--root %s: not a folder that can be read (%w)", root, err)}
	}
	root, err = filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if filepath.Dir(root) == root {
		root = "/" // also where Windows calls it C:\
	}
	cache, err = cacheFolder(cache, root)
	if err != nil {
		return nil, err
	}
	filter := probe.Filter{Sections: slices.DeleteFunc(slices.Clone(sections), func(n inventory.Section) bool {
		return n == inventory.SectionSources
	})}
	if slices.Contains(sections, inventory.SectionSources) {
		filter = probe.Filter{} // how the sources answered needs all of them
	}
	env := &probe.Env{Root: root, Now: s.now(), CacheDir: cache, Hash: hash}
	snap := probe.NewRunner(probes(), probe.Options{}).Run(s.ctx, env, filter)
	return snap, s.ctx.Err()
}

// noCache is the value of --cache that keeps nothing.
const noCache = "none"

// defaultCache is a folder of the user's own: the system's for root, whose content
// nobody else can write. It is empty where there is none.
func defaultCache() string {
	if os.Geteuid() == 0 {
		return systemCache
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "vigia-agent")
}

// cacheFolder makes the folder to keep answers in, and returns "" for nowhere. The
// default is used for the running system only, and where it can be.
func cacheFolder(flag, root string) (string, error) {
	dir := flag
	switch {
	case flag == noCache:
		return "", nil
	case flag == "" && root != "/":
		return "", nil
	case flag == "":
		dir = defaultCache()
	}
	if dir == "" {
		return "", nil
	}
	err := os.MkdirAll(dir, 0o700)
	switch {
	case err != nil && flag == "":
		return "", nil // the inventory is what was asked for
	case err != nil:
		return "", fmt.Errorf("--cache: %w", err)
	}
	return filepath.Abs(dir)
}

func parseSections(names []string) ([]inventory.Section, error) {
	var sections []inventory.Section
	for _, list := range names {
		for _, name := range strings.Split(list, ",") {
			section := inventory.Section(strings.TrimSpace(name))
			if !slices.Contains(inventory.Sections(), section) {
				return nil, fmt.Errorf("--section %s: no such section; there are %v", name, inventory.Sections())
			}
			sections = append(sections, section)
		}
	}
	return sections, nil
}

// writeSections prints the document, or the chosen sections of it.
func writeSections(s *session, snap *inventory.Snapshot, sections []inventory.Section) error {
	if len(sections) == 0 {
		return writeJSON(s.out, snap)
	}
	whole, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(whole, &all); err != nil {
		return err
	}
	chosen := map[string]json.RawMessage{}
	for _, name := range sections {
		chosen[string(name)] = all[string(name)]
	}
	return writeJSON(s.out, chosen)
}
