package kube

import (
	"github.com/go-logr/logr"
	"go.uber.org/zap"
	"k8s.io/klog/v2"
)

// RedirectKlog sends what client-go logs, for the whole process, to log at level
// debug: it logs each of its retries, where this package logs an outage once.
func RedirectKlog(log *zap.Logger) {
	klog.SetLogger(logr.New(sink{log.Sugar().Named("client-go").WithOptions(zap.WithCaller(false))}))
}

// sink is a logr.LogSink.
type sink struct{ log *zap.SugaredLogger }

func (s sink) Init(logr.RuntimeInfo) {}

func (s sink) Enabled(int) bool { return s.log.Level().Enabled(zap.DebugLevel) }

func (s sink) Info(_ int, message string, fields ...any) { s.log.Debugw(message, fields...) }

func (s sink) Error(err error, message string, fields ...any) {
	s.log.Debugw(message, append([]any{zap.Error(err)}, fields...)...)
}

func (s sink) WithValues(fields ...any) logr.LogSink { return sink{s.log.With(fields...)} }

func (s sink) WithName(name string) logr.LogSink { return sink{s.log.Named(name)} }
