package demo

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed data/*.txt
var dataFiles embed.FS

// pkg is one Debian package. groups are those of data/debian12.txt.
type pkg struct {
	name, version, publisher, groups string
	all, base, requested             bool
}

// product is a program that no distribution ships. share is in per cent, or a weight.
type product struct {
	name, publisher, origin, source, path string
	share                                 int
	versions                              []string
}

// storeApp comes with Windows; new ones with Windows 11 only.
type storeApp struct {
	name, version string
	new           bool
}

// model is a kind of hardware.
type model struct {
	kind, vendor, model, version, sku string
	biosVendor, biosVersion, biosDate string
	board, cpu                        string
	cores, threads, mhz               int
	memory                            []int // GiB
	memoryType                        string
	speed                             int
	disk                              string
	diskGB                            []int
	diskKind                          string
	year                              int
}

// catalogue is what data/ tells.
type catalogue struct {
	packages        []pkg
	updates         map[string]map[string][]string // distribution → package → versions
	products        map[string][]product           // by group
	apps            []storeApp
	models          map[string][]model // by kind
	given, surnames []string
}

func readCatalogue() (*catalogue, error) {
	c := &catalogue{updates: map[string]map[string][]string{}, products: map[string][]product{}, models: map[string][]model{}}
	var teams []string
	err := eachLine("debian12", func(_, line string) error {
		if team, ok := strings.CutPrefix(line, "@"); ok {
			teams = append(teams, team)
			return nil
		}
		return c.addPackage(teams, strings.Fields(line))
	})
	for _, read := range []func() error{
		func() error { return eachLine("updates", c.addUpdate) },
		func() error { return eachLine("programs", c.addProduct) },
		func() error { return eachLine("store_apps", c.addApp) },
		func() error { return eachLine("models", c.addModel) },
		func() error { return eachLine("people", c.addNames) },
	} {
		if err == nil {
			err = read()
		}
	}
	return c, err
}

// eachLine calls fn for each line that tells something, with the [group] it stands in.
func eachLine(file string, fn func(group, line string) error) error {
	text, err := dataFiles.ReadFile("data/" + file + ".txt")
	if err != nil {
		return err
	}
	group, n := "", 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			group = strings.Trim(line, "[]")
		default:
			if err := fn(group, line); err != nil {
				return fmt.Errorf("data/%s.txt line %d: %w", file, n, err)
			}
		}
	}
	return nil
}

func (c *catalogue) addPackage(teams, f []string) error {
	if len(f) < 4 {
		return fmt.Errorf("%d fields, want 4", len(f))
	}
	n, err := strconv.Atoi(f[2])
	if err != nil || n < 0 || n >= len(teams) {
		return fmt.Errorf("there is no maintainer %q", f[2])
	}
	groups := strings.TrimRight(f[3], "aBR")
	flags := f[3][len(groups):]
	c.packages = append(c.packages, pkg{name: f[0], version: f[1], publisher: teams[n], groups: groups,
		all: strings.Contains(flags, "a"), base: strings.Contains(flags, "B"), requested: strings.Contains(flags, "R")})
	return nil
}

func (c *catalogue) addUpdate(distribution, line string) error {
	f := strings.Fields(line)
	if len(f) < 2 {
		return fmt.Errorf("%q names no version", line)
	}
	if c.updates[distribution] == nil {
		c.updates[distribution] = map[string][]string{}
	}
	c.updates[distribution][f[0]] = f[1:]
	return nil
}

func (c *catalogue) addProduct(group, line string) error {
	f := strings.Split(line, "|")
	for i := 0; i+1 < len(f); i++ { // \| is the character itself
		if head, ok := strings.CutSuffix(f[i], `\`); ok {
			f = append(f[:i], append([]string{head + "|" + f[i+1]}, f[i+2:]...)...)
		}
	}
	if len(f) != 7 {
		return fmt.Errorf("%d fields, want 7", len(f))
	}
	share, err := strconv.Atoi(f[5])
	if err != nil {
		return fmt.Errorf("share: %w", err)
	}
	c.products[group] = append(c.products[group], product{name: f[0], publisher: f[1], origin: f[2], source: f[3], path: f[4],
		share: share, versions: strings.Split(f[6], ";")})
	return nil
}

func (c *catalogue) addApp(_, line string) error {
	f := strings.Fields(line)
	if len(f) < 2 {
		return fmt.Errorf("%q names no version", line)
	}
	c.apps = append(c.apps, storeApp{name: f[0], version: f[1], new: len(f) > 2})
	return nil
}

func (c *catalogue) addModel(_, line string) error {
	f := strings.Split(line, "|")
	if len(f) != 20 {
		return fmt.Errorf("%d fields, want 20", len(f))
	}
	var numbers []int
	for _, i := range []int{10, 11, 12, 15, 19} {
		n, err := strconv.Atoi(f[i])
		if err != nil {
			return err
		}
		numbers = append(numbers, n)
	}
	memory, err := choices(f[13])
	if err != nil {
		return err
	}
	disks, err := choices(f[17])
	if err != nil {
		return err
	}
	c.models[f[0]] = append(c.models[f[0]], model{kind: f[0], vendor: f[1], model: f[2], version: f[3], sku: f[4], biosVendor: f[5],
		biosVersion: f[6], biosDate: f[7], board: f[8], cpu: f[9], cores: numbers[0], threads: numbers[1], mhz: numbers[2], memory: memory,
		memoryType: f[14], speed: numbers[3], disk: f[16], diskGB: disks, diskKind: f[18], year: numbers[4]})
	return nil
}

func choices(text string) ([]int, error) {
	var list []int
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func (c *catalogue) addNames(group, line string) error {
	if group == "given" {
		c.given = append(c.given, strings.Fields(line)...)
	} else {
		c.surnames = append(c.surnames, strings.Fields(line)...)
	}
	return nil
}
