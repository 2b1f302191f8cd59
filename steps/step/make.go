package step

import (
	making "rolecall/steps/make"
)

// Host is what making needs of this session.
func (s *Session) Host() making.Host {
	return making.Host{Account: s.AWS, Ledger: s.OpenLedger(), Journal: s.Journal, Head: s.ReceiptHead(), By: s.Caller(), Now: s.Now,
		Patience: s.Patience(RetryFor), Until: s.Until}
}
