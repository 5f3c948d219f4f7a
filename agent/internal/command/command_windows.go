package command

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// environment holds what Windows programs cannot start without.
func environment() []string {
	dir := rootDir()
	return []string{"SystemRoot=" + dir, "PATH=" + dir + `\System32;` + dir}
}

// rootDir is the folder of Windows itself, asked of the system and not of the environment.
func rootDir() string {
	dir, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return `C:\Windows`
	}
	return dir
}

// ownGroup keeps a console window from flashing up.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}
