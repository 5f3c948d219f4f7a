// Package antivirus owns the sources that tell how a Linux machine is protected: which
// product is there, whether it runs, how old its definitions are, when it last scanned
// and what it found. It refuses to scan, to change a product, and to tell the names of
// people's files: a detection keeps the class of the folder it was in.
package antivirus

import (
	"strings"
	"time"
)

// Keys of Antivirus.Problems.
const (
	ProblemDefinitionsOld     = "definitions-old"     // built more than 3 days ago; ClamAV's are rebuilt every day
	ProblemDefinitionsMissing = "definitions-missing" // no readable database at all: nothing can be found
	ProblemDaemonOff          = "daemon-off"          // clamd is installed and does not run
	ProblemUpdaterOff         = "updater-off"         // freshclam neither runs nor succeeded within 3 days
	ProblemNeverScanned       = "never-scanned"       // no log of the last 90 days tells of a scan
	ProblemInfected           = "infected-last-scan"  // the last scan found something
)

// Limits of what is told.
const (
	definitionsMaxAge = 3 * 24 * time.Hour
	logMaxAge         = 90 * 24 * time.Hour
	maxDetections     = 100
)

// whereClass reduces the path of a detection to the class of its folder.
func whereClass(path string) string {
	for _, c := range [...]struct{ prefix, class string }{
		{"/home/", "home"}, {"/root/", "home"},
		{"/media/", "removable"}, {"/run/media/", "removable"}, {"/mnt/", "removable"},
		{"/tmp/", "temporary"}, {"/var/tmp/", "temporary"}, {"/dev/shm/", "temporary"}, {"/run/user/", "temporary"},
	} {
		if strings.HasPrefix(path, c.prefix) {
			return c.class
		}
	}
	if strings.HasPrefix(path, "/") {
		return "system"
	}
	return "unknown"
}
