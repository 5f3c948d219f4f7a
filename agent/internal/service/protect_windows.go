package service

import (
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ProtectFolder makes dir where it is missing, and leaves it to the system and to
// administrators alone; whoever runs the agent without being one keeps it too.
func ProtectFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sddl := "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
	token := windows.GetCurrentProcessToken()
	user, err := token.GetTokenUser()
	if err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	if !token.IsElevated() {
		sddl += "(A;OICI;FA;;;" + user.User.Sid.String() + ")"
	}
	sd, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
	if err != nil {
		return fmt.Errorf("protecting %s: %w", dir, err)
	}
	return nil
}

// CheckWritable refuses a program where somebody besides the system, administrators and
// the account it runs as could change it or its folder.
func CheckWritable(exe string) error {
	trusted := trustedSIDs()
	if user, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil {
		trusted = append(trusted, user.User.Sid.String())
	}
	for _, name := range [...]string{exe, filepath.Dir(exe)} {
		owner, entries, err := accessOf(name)
		if err != nil {
			return fmt.Errorf("who may write %s cannot be read: %w", name, err)
		}
		if sid, found := whoMayWrite(owner, entries, trusted); found {
			return fmt.Errorf("%s can be changed by %s, who would get all rights on this computer through this service; "+
				"install the agent where administrators alone may write, such as Program Files", name, accountName(sid))
		}
	}
	return nil
}

// accessOf reads the owner and the list of rights of a file. No list at all gives
// everybody everything.
func accessOf(name string) (owner string, entries []accessEntry, err error) {
	sd, err := windows.GetNamedSecurityInfo(name, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return "", nil, err
	}
	sid, _, err := sd.Owner()
	if err != nil {
		return "", nil, err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return "", nil, err
	}
	if dacl == nil {
		return sid.String(), []accessEntry{{sid: "S-1-1-0", allow: true, mask: writeRights}}, nil
	}
	for i := range uint32(dacl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(dacl, i, &ace); err != nil {
			return "", nil, err
		}
		if ace.Header.AceType > windows.ACCESS_DENIED_ACE_TYPE { // object and callback entries are not used for files
			continue
		}
		entries = append(entries, accessEntry{
			sid: (*windows.SID)(unsafe.Pointer(&ace.SidStart)).String(), mask: uint32(ace.Mask),
			allow: ace.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE, inheritOnly: ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0,
		})
	}
	return sid.String(), entries, nil
}

// accountName names a SID of this computer; others stay numbers, which asks nobody.
func accountName(sid string) string {
	s, err := windows.StringToSid(sid)
	if err != nil {
		return sid
	}
	switch {
	case s.IsWellKnown(windows.WinWorldSid):
		return "everyone"
	case s.IsWellKnown(windows.WinBuiltinUsersSid):
		return "every user"
	case s.IsWellKnown(windows.WinAuthenticatedUserSid):
		return "every authenticated user"
	}
	return sid
}
