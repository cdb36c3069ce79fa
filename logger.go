package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logFlags are the log's flags, named as kubebuilder's users know them.
type logFlags struct{ level, encoder string }

func (f *logFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.level, "zap-log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.encoder, "zap-encoder", "json", "json or console")
}

// logger returns a logger to standard error.
func (f *logFlags) logger() (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(f.level)
	if err != nil {
		return nil, fmt.Errorf("--zap-log-level=%s: write debug, info, warn or error", f.level)
	}
	if err := oneOf("--zap-encoder", f.encoder, "json", "console"); err != nil {
		return nil, err
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	config.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(config)
	if f.encoder == "console" {
		encoder = zapcore.NewConsoleEncoder(config)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(os.Stderr), level)), nil
}
