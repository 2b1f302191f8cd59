package terminal

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
)

// Open shows a page in the person's browser without waiting for it. shown is
// true when the link has to be put on the screen instead, since no browser of
// theirs can be reached from here; it is also true where a browser was started
// but may have no display to appear on.
//
// Only https is opened, and http to a loopback address.
func (t *Terminal) Open(link string) (shown bool, err error) {
	if err := CheckLink(link); err != nil {
		return false, err
	}
	if t.Remote() {
		return true, nil
	}
	name, args := t.browser()
	if name == "" {
		return true, nil
	}
	if err := t.start(name, append(args, link)...); err != nil {
		return true, nil //nolint:nilerr // the link on the screen serves as well
	}
	return t.blind(), nil
}

// CheckLink refuses everything that is not a plain https page.
func CheckLink(link string) error {
	u, err := url.Parse(link)
	if err != nil {
		return errors.New("open the link: it is not a web address")
	}
	switch {
	case u.Host == "" || u.User != nil:
		return errors.New("open the link: it is not a web address")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("open the link: only https is opened, this is %q", u.Scheme)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (t *Terminal) browser() (name string, args []string) {
	switch t.GOOS {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	if t.Getenv("WSL_DISTRO_NAME") != "" && t.has("wslview") {
		return "wslview", nil
	}
	for _, tool := range []string{"xdg-open", "wslview"} {
		if t.has(tool) {
			return tool, nil
		}
	}
	return "", nil
}

// blind reports that nothing here says where a browser could appear.
func (t *Terminal) blind() bool {
	if t.GOOS == "darwin" || t.GOOS == "windows" {
		return false
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"} {
		if t.Getenv(name) != "" {
			return false
		}
	}
	return true
}
