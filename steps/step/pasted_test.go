package step

import "testing"

func TestPastedLosesWhatNobodySees(t *testing.T) {
	for pasted, want := range map[string]string{
		"spotinst:aws:extid:0123":                            "spotinst:aws:extid:0123",
		"\ufeff \u200bspotinst:aws:\u200bextid:0123\u2060\n": "spotinst:aws:extid:0123",
		"\u00a0“octo-org”\t":                                 "octo-org",
		"'\"octo-org\"'":                                     "octo-org",
		"soft\u00adhyphen":                                   "softhyphen",
		"turned\u202e\u0000":                                 "turned",
		"has a space":                                        "has a space",
		"two\nlines":                                         "two\nlines",
		"\u200b":                                             "",
	} {
		if got := Pasted(pasted); got != want {
			t.Errorf("%q: got %q, want %q", pasted, got, want)
		}
	}
}
