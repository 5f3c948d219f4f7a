package uplink

import (
	"context"
	"crypto/tls"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"vigia/internal/pki"
)

// Reach asks the collector at one address of id whether it is well, over mTLS with the
// current certificate, and returns a Problem where that does not work. It is for
// `vigia-agent doctor`; the running agent's stream is not touched.
func Reach(ctx context.Context, id *Identity, address string, now func() time.Time) error {
	config := pki.ClientTLS(id.Trust, func() (*tls.Certificate, error) { return id.Current.tls(), nil }, now)
	l, err := dial(address, config)
	if err != nil {
		return err
	}
	defer l.Close()
	answer, err := healthv1.NewHealthClient(l).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return l.explain(err)
	}
	if answer.Status != healthv1.HealthCheckResponse_SERVING {
		return &Problem{Kind: ErrBusy, What: "the collector at " + address + " answers, and says that it is " + answer.Status.String(), Remedy: "wait, or look at the collector's log"}
	}
	return nil
}
