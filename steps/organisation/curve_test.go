package organisation_test

import (
	"fmt"
	"runtime"
	"testing"

	rehearsal "rolecall/aws/rehearsal/organisation"
	"rolecall/steps/organisation"
)

// BenchmarkApply is the curve of what an organisation costs: requests to AWS and to
// the vendor, minutes by the clock of the rehearsal, in which a stack takes 20 s,
// and what is held in memory at the end.
func BenchmarkApply(b *testing.B) {
	for _, accounts := range []int{10, 100, 1000, 5000} {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			for range b.N {
				w := newWorld(b, rehearsal.Options{Accounts: accounts})
				began := w.clock.Now()
				report, err := w.apply(organisation.Choice{})
				if err != nil || report.Totals.Connected != accounts {
					b.Fatalf("%v %+v", err, report.Totals)
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(len(w.org.Server().Calls())), "AWS-calls")
				b.ReportMetric(float64(w.vendor.calls), "vendor-calls")
				b.ReportMetric(w.clock.Now().Sub(began).Minutes(), "minutes")
				b.ReportMetric(float64(m.HeapInuse)/(1<<20), "MB")
			}
		})
	}
}
