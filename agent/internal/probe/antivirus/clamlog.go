package antivirus

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"vigia/internal/inventory"
)

// Times in ClamAV's logs, without a zone: those of the machine.
const (
	summaryTime = "2006:01:02 15:04:05"      // clamscan, clamdscan: "Start Date: 2026:11:23 20:47:15"
	daemonTime  = "Mon Jan _2 15:04:05 2006" // clamd, freshclam: "Mon Nov 23 20:47:15 2026 -> …"
)

const maxLogLine = 64 << 10

// ScanLog is what a log of clamscan, clamdscan, clamd or clamonacc tells.
type ScanLog struct {
	LastScanAt       time.Time // end of the last whole scan, UTC; zero where there is none
	LastScanInfected int       // files it found infected
	Detections       []inventory.Detection
}

// pending is a detection whose scan has not told its time yet.
type pending struct {
	inventory.Detection
	path string
}

// scanParser keeps the state between lines.
type scanParser struct {
	loc      *time.Location
	log      ScanLog
	open     []pending
	start    time.Time
	infected int
}

// ParseScanLog reads a log of any of ClamAV's scanners; times are in loc. Lines it does
// not know are passed over, and so is one longer than 64 KiB. Paths are used to match
// lines and to find the class of the folder, and are not kept.
func ParseScanLog(r io.Reader, loc *time.Location) (ScanLog, error) {
	p := scanParser{loc: loc}
	err := eachLine(r, p.line)
	p.flush(time.Time{})
	return p.log, err
}

// eachLine calls line for each line of r but those that are too long.
func eachLine(r io.Reader, line func(string)) error {
	br := bufio.NewReaderSize(r, maxLogLine)
	for skip := false; ; {
		b, err := br.ReadSlice('\n')
		if err == nil && !skip {
			line(strings.TrimRight(string(b), "\r\n"))
		}
		skip = errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !skip { // an unfinished last line is still being written
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func (p *scanParser) line(s string) {
	at := time.Time{}
	if stamp, rest, ok := strings.Cut(s, " -> "); ok {
		if t, err := time.ParseInLocation(daemonTime, stamp, p.loc); err == nil {
			at, s = t.UTC(), strings.TrimLeft(rest, "!^*~ ")
		}
	}
	switch {
	case strings.HasPrefix(s, "Infected files: "):
		p.infected, _ = strconv.Atoi(strings.TrimPrefix(s, "Infected files: "))
	case strings.HasPrefix(s, "Start Date: "):
		p.start = p.time(s, "Start Date: ")
	case strings.HasPrefix(s, "End Date:"):
		p.scanned(p.time(s, "End Date:"))
	case strings.HasSuffix(s, " FOUND"):
		p.found(at, strings.TrimSuffix(s, " FOUND"))
	default:
		p.acted(s)
	}
}

func (p *scanParser) time(s, prefix string) time.Time {
	t, err := time.ParseInLocation(summaryTime, strings.TrimSpace(strings.TrimPrefix(s, prefix)), p.loc)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// found takes "PATH: THREAT"; clamd may add "(HASH:SIZE)" to the threat.
func (p *scanParser) found(at time.Time, s string) {
	i := strings.LastIndex(s, ": ")
	if i <= 0 {
		return
	}
	threat, _, _ := strings.Cut(s[i+2:], "(")
	if threat == "" || strings.ContainsAny(threat, " \t") {
		return
	}
	if len(p.open) >= 10*maxDetections { // a flood: the newest matter
		p.open = append(p.open[:0], p.open[len(p.open)/2:]...)
	}
	p.open = append(p.open, pending{
		Detection: inventory.Detection{At: at, Threat: threat, Where: whereClass(s[:i]), Action: "found"}, path: s[:i],
	})
}

// acted takes what a scanner did to the file it found last: "PATH: Removed.",
// "PATH: moved to '…'", since 1.4 with " (real path: '…')" behind the path.
func (p *scanParser) acted(s string) {
	if len(p.open) == 0 {
		return
	}
	last := &p.open[len(p.open)-1]
	rest, ok := strings.CutPrefix(s, last.path)
	if !ok {
		return
	}
	if real, after, ok := strings.Cut(rest, "'): "); ok && strings.HasPrefix(real, " (real path: '") {
		last.Where = whereClass(strings.TrimPrefix(real, " (real path: '"))
		rest = ": " + after
	}
	switch {
	case strings.HasPrefix(rest, ": Removed"):
		last.Action = "removed"
	case strings.HasPrefix(rest, ": moved to "):
		last.Action = "quarantined"
	case strings.HasPrefix(rest, ": Access denied"), strings.HasPrefix(rest, ": blocked"):
		last.Action = "blocked"
	}
}

// scanned ends a scan.
func (p *scanParser) scanned(end time.Time) {
	if end.IsZero() {
		end = p.start
	}
	if !end.IsZero() && !end.Before(p.log.LastScanAt) {
		p.log.LastScanAt, p.log.LastScanInfected = end, max(0, p.infected)
	}
	p.flush(end)
	p.start, p.infected = time.Time{}, 0
}

// flush gives what is pending the time of its scan.
func (p *scanParser) flush(at time.Time) {
	for _, d := range p.open {
		if d.At.IsZero() {
			d.At = at
		}
		p.log.Detections = append(p.log.Detections, d.Detection)
	}
	p.open = p.open[:0]
	if over := len(p.log.Detections) - 10*maxDetections; over > 0 {
		p.log.Detections = append(p.log.Detections[:0], p.log.Detections[over:]...)
	}
}

// ParseFreshclamLog returns when freshclam last succeeded: when it last told that the
// daily database was updated or up to date. Zero where the log does not tell. Older
// versions write such a line without a time, after one that has it.
func ParseFreshclamLog(r io.Reader, loc *time.Location) (time.Time, error) {
	var now, success time.Time
	err := eachLine(r, func(s string) {
		if stamp, rest, ok := strings.Cut(s, " -> "); ok {
			if t, err := time.ParseInLocation(daemonTime, stamp, loc); err == nil {
				now, s = t.UTC(), strings.TrimLeft(rest, "!^*~ ")
			}
		}
		daily := strings.HasPrefix(s, "daily.")
		if daily && (strings.Contains(s, " updated (version") || strings.Contains(s, "up-to-date") || strings.Contains(s, "up to date")) {
			success = now
		}
	})
	return success, err
}

// ParseClamConf reads clamd.conf(5): the last value of each option. "yes", "true" and
// "1" are the same to ClamAV; the value is kept as written.
func ParseClamConf(r io.Reader) (map[string]string, error) {
	conf := make(map[string]string)
	err := eachLine(r, func(s string) {
		s = strings.TrimSpace(s)
		if s == "" || s[0] == '#' {
			return
		}
		if i := strings.IndexAny(s, " \t"); i > 0 {
			conf[s[:i]] = strings.Trim(strings.TrimSpace(s[i:]), `"`)
		}
	})
	return conf, err
}
