package app

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// programData is asked of Windows itself: inside a service the environment may name
// another folder.
func programData() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT); err == nil {
		return dir
	}
	return `C:\ProgramData`
}

func defaultState() string  { return filepath.Join(programData(), "Vigia", "Agent") }
func defaultConfig() string { return filepath.Join(programData(), "Vigia", "agent.yaml") }

// systemCache is for Unix's root only; Windows has a cache folder for each account.
const systemCache = ""

// defaultToken is for Linux; on Windows a token is left by enroll --later, which the
// installer runs.
const defaultToken = ""
