package rpcapi

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/apperr"
)

// grpcCode maps the collector's codes, one to one.
func grpcCode(c apperr.Code) codes.Code {
	switch c {
	case apperr.Invalid:
		return codes.InvalidArgument
	case apperr.Unauthenticated:
		return codes.Unauthenticated
	case apperr.Forbidden:
		return codes.PermissionDenied
	case apperr.NotFound:
		return codes.NotFound
	case apperr.Conflict:
		return codes.FailedPrecondition
	case apperr.TooMany:
		return codes.ResourceExhausted
	case apperr.Unavailable:
		return codes.Unavailable
	}
	return codes.Internal
}

// status turns an error of a use-case into one for the agent: a code, a sentence, and
// the key as reason, so that the agent need not read sentences. Causes stay in the log.
func (s *Server) status(ctx context.Context, doing string, err error) error {
	if errors.Is(err, context.Canceled) || ctx.Err() != nil {
		return status.FromContextError(context.Cause(ctx)).Err()
	}
	code := apperr.CodeOf(err)
	if code == apperr.Internal {
		s.Log.ErrorContext(ctx, doing, "err", err)
	}
	st := status.New(grpcCode(code), s.Describe(err))
	var e *apperr.Error
	if errors.As(err, &e) {
		if with, derr := st.WithDetails(&errdetails.ErrorInfo{Reason: e.Key, Domain: "vigia"}); derr == nil {
			st = with
		}
	}
	return st.Err()
}

// retryAfter is how long an Unavailable or TooMany error asks to wait, else def.
func retryAfter(err error, def time.Duration) time.Duration {
	var e *apperr.Error
	if errors.As(err, &e) {
		if d, ok := e.Args["retry_after"].(time.Duration); ok && d > 0 {
			return d
		}
	}
	return def
}

// laterReason is the reason of Later that err stands for.
func laterReason(err error) string {
	var e *apperr.Error
	if errors.As(err, &e) {
		if r, ok := e.Args["reason"].(string); ok && r != "" {
			return r
		}
		if e.Key == "store.disk-full" {
			return "disk-full"
		}
	}
	return "busy"
}
