package antivirus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

const (
	productClamAV = "ClamAV"
	clamLogDir    = "/var/log/clamav"
	clamDatabases = "/var/lib/clamav"
	maxLogTail    = 1 << 20 // bytes read from the end of each log
	maxLogs       = 32      // logs read, the newest ones
	maxConfig     = 1 << 20
)

// ClamAV tells how ClamAV protects this machine; absent where none of its programs is
// installed. The source bears the product's name, as inventory.Carry needs it.
//
// State is "on" while clamd runs, or, where only the on-demand scanner is installed,
// while a scan of the last 7 days is on record. RealTime is "on" while clamonacc runs
// (or clamd with ScanOnAccess, up to version 0.102). Updater is "on" while freshclam
// runs or when it succeeded within 3 days, as a timer or cron would have it. All three
// are "unknown" under another root, where nothing runs.
//
// Signatures is the sum over all databases, DefinitionsVersion and DefinitionsAt are
// those of the daily one. Scans and detections come from the logs in /var/log/clamav
// and the one clamd.conf names: their last MiB, the last 90 days.
func ClamAV() probe.Probe {
	return probe.Probe{
		Source: productClamAV, Section: inventory.SectionAntivirus, Timeout: 20 * time.Second,
		Watch: []string{
			clamDatabases + "/*.c[lv]d", clamLogDir + "/*.log",
			"/usr/bin/clamscan", "/usr/sbin/clamd", "/etc/clamav/*.conf",
		},
		Collect: collectClamAV,
	}
}

// clamFacts is what was read, before it is judged.
type clamFacts struct {
	live          bool
	hasDaemon     bool
	running       map[string]bool // by name of the process; nil where unknown
	conf          map[string]string
	daily         CVDHeader
	signatures    int64
	databases     int
	scans         ScanLog
	lastFreshclam time.Time
	version       string
}

func collectClamAV(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
	root, err := rootfs.Open(env.Root)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	f := clamFacts{live: env.Live(), hasDaemon: anyExists(root, "/usr/sbin/clamd", "/usr/local/sbin/clamd", "/usr/bin/clamd")}
	if !f.hasDaemon && !anyExists(root, "/usr/bin/clamscan", "/usr/local/bin/clamscan", "/usr/bin/freshclam", "/usr/local/bin/freshclam") {
		return 0, fmt.Errorf("clamscan, clamd, freshclam: %w", probe.ErrAbsent)
	}
	if f.conf, err = clamConf(root, "clamd.conf"); err != nil {
		return 0, err
	}
	if err := f.readDatabases(root); err != nil {
		return 0, err
	}
	if err := f.readLogs(ctx, root, env); err != nil {
		return 0, err
	}
	if f.live {
		if f.running, err = processes(root); err != nil {
			return 0, err
		}
	}
	f.version = engineVersion(root)
	part.Antivirus = append(part.Antivirus, f.judge(env.Now))
	return 1, nil
}

// judge turns facts into an entry.
func (f *clamFacts) judge(now time.Time) inventory.Antivirus {
	a := inventory.Antivirus{
		Product: productClamAV, Version: f.version, State: "unknown", RealTime: "unknown", Updater: "unknown",
		Signatures: f.signatures, LastScanAt: f.scans.LastScanAt, LastScanInfected: f.scans.LastScanInfected,
		Problems: []string{}, Detections: f.scans.Detections,
	}
	if f.daily.Version > 0 {
		a.DefinitionsVersion, a.DefinitionsAt = fmt.Sprint(f.daily.Version), f.daily.BuiltAt
	}
	if f.running != nil {
		a.State = onOff(f.running["clamd"] || (!f.hasDaemon && !a.LastScanAt.IsZero() && now.Sub(a.LastScanAt) < 7*24*time.Hour))
		a.RealTime = onOff(f.running["clamonacc"] || (f.running["clamd"] && isYes(f.conf["ScanOnAccess"])))
		a.Updater = onOff(f.running["freshclam"] || (!f.lastFreshclam.IsZero() && now.Sub(f.lastFreshclam) < definitionsMaxAge))
	}
	problem := func(is bool, key string) {
		if is {
			a.Problems = append(a.Problems, key)
		}
	}
	problem(f.databases == 0, ProblemDefinitionsMissing)
	problem(f.databases > 0 && now.Sub(a.DefinitionsAt) > definitionsMaxAge, ProblemDefinitionsOld)
	problem(f.hasDaemon && a.State == "off", ProblemDaemonOff)
	problem(a.Updater == "off", ProblemUpdaterOff)
	problem(a.LastScanAt.IsZero(), ProblemNeverScanned)
	problem(a.LastScanInfected > 0, ProblemInfected)
	slices.Sort(a.Problems)
	return a
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func isYes(s string) bool {
	switch strings.ToLower(s) {
	case "yes", "true", "1":
		return true
	}
	return false
}

func anyExists(root *rootfs.FS, names ...string) bool {
	return slices.ContainsFunc(names, root.Exists)
}

// clamConf reads a configuration file from where distributions and source builds put it.
func clamConf(root *rootfs.FS, name string) (map[string]string, error) {
	for _, dir := range [...]string{"/etc/clamav", "/etc", "/usr/local/etc"} {
		b, err := root.ReadFile(path.Join(dir, name), maxConfig)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("ClamAV: %w", err)
		}
		return ParseClamConf(strings.NewReader(string(b)))
	}
	return map[string]string{}, nil
}

// readDatabases reads the headers of the databases. One that is damaged counts as not
// there, which the machine's owner hears as definitions that are old or missing.
func (f *clamFacts) readDatabases(root *rootfs.FS) error {
	dir := cmp.Or(f.conf["DatabaseDirectory"], clamDatabases)
	entries, err := root.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("ClamAV: %w", err)
	}
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext != ".cvd" && ext != ".cld" {
			continue
		}
		file, err := root.Open(path.Join(dir, e.Name()))
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) { // replaced at this moment
				continue
			}
			return fmt.Errorf("ClamAV: %w", err)
		}
		h, err := ParseCVDHeader(file)
		file.Close()
		if errors.Is(err, ErrCVD) {
			continue
		}
		if err != nil {
			return fmt.Errorf("ClamAV: %s: %w", e.Name(), err)
		}
		f.databases++
		f.signatures += h.Signatures
		if strings.HasPrefix(e.Name(), "daily.") && h.Version > f.daily.Version {
			f.daily = h
		}
	}
	return nil
}

// readLogs reads the logs of scanners and of freshclam.
func (f *clamFacts) readLogs(ctx context.Context, root *rootfs.FS, env *probe.Env) error {
	loc := zone(root, env.Live())
	logs, err := clamLogs(root, f.conf["LogFile"])
	if err != nil {
		return err
	}
	for _, name := range logs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.readLog(root, name, loc); err != nil {
			return fmt.Errorf("ClamAV: %s: %w", name, err)
		}
	}
	oldest := env.Now.Add(-logMaxAge)
	if f.scans.LastScanAt.Before(oldest) {
		f.scans.LastScanAt, f.scans.LastScanInfected = time.Time{}, 0
	}
	d := slices.DeleteFunc(f.scans.Detections, func(d inventory.Detection) bool { return d.At.Before(oldest) })
	slices.SortStableFunc(d, func(x, y inventory.Detection) int { return y.At.Compare(x.At) })
	f.scans.Detections = d[:min(len(d), maxDetections)]
	return nil
}

func (f *clamFacts) readLog(root *rootfs.FS, name string, loc *time.Location) error {
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	tail := io.NewSectionReader(file, max(0, info.Size()-maxLogTail), maxLogTail)
	if strings.Contains(path.Base(name), "freshclam") {
		at, err := ParseFreshclamLog(tail, loc)
		if at.After(f.lastFreshclam) {
			f.lastFreshclam = at
		}
		return err
	}
	log, err := ParseScanLog(tail, loc)
	if err != nil {
		return err
	}
	for i := range log.Detections { // an unfinished scan: the log's own time is the nearest
		if log.Detections[i].At.IsZero() {
			log.Detections[i].At = info.ModTime().UTC()
		}
	}
	if log.LastScanAt.After(f.scans.LastScanAt) {
		f.scans.LastScanAt, f.scans.LastScanInfected = log.LastScanAt, log.LastScanInfected
	}
	f.scans.Detections = append(f.scans.Detections, log.Detections...)
	return nil
}

// clamLogs returns the logs to read: those in ClamAV's folder, plain ones that were
// rotated last included, and the one clamd is told to write.
func clamLogs(root *rootfs.FS, configured string) ([]string, error) {
	entries, err := root.ReadDir(clamLogDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("ClamAV: %w", err)
	}
	var logs []string
	for _, e := range entries {
		if n := e.Name(); e.Type().IsRegular() && (strings.HasSuffix(n, ".log") || strings.HasSuffix(n, ".log.1")) {
			logs = append(logs, path.Join(clamLogDir, n))
		}
	}
	logs = logs[:min(len(logs), maxLogs)]
	if path.IsAbs(configured) && !slices.Contains(logs, path.Clean(configured)) {
		logs = append(logs, path.Clean(configured))
	}
	return logs, nil
}
