package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"strconv"
)

// settings are the flags.
type settings struct {
	sites, pages string

	httpPort, xdsPort, healthPort, adminPort int
}

// errHelp: the flags were asked for, and have been printed.
var errHelp = flag.ErrHelp

func parseFlags(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("playground", flag.ContinueOnError)
	flags.StringVar(&s.sites, "sites", "testdata/sites", "folder of StaticSites, Services and EndpointSlices")
	flags.StringVar(&s.pages, "pages", "testdata/pages", "folder with a folder of pages for each site")
	flags.IntVar(&s.httpPort, "http-port", 8080, "where Envoy serves the sites")
	flags.IntVar(&s.xdsPort, "xds-port", 9000, "where our server streams to Envoy")
	flags.IntVar(&s.healthPort, "health-port", 8081, "where our server says that it is ready")
	flags.IntVar(&s.adminPort, "admin-port", 9901, "where Envoy has its admin interface")
	if err := flags.Parse(args); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		err := fmt.Errorf("unknown argument %q", flags.Arg(0))
		fmt.Fprintln(flags.Output(), err)
		return settings{}, err
	}
	return s, nil
}

func (s settings) xdsAddress() string    { return loopback(s.xdsPort) }
func (s settings) healthAddress() string { return loopback(s.healthPort) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// An address is one that must be free, and what a person can do if it is not.
type address struct {
	hostport string
	use      string // what it is for
	remedy   string
}

// addresses returns all that must be free.
func (s settings) addresses(world *world) []address {
	all := []address{
		// Envoy listens on every address of the machine.
		{net.JoinHostPort("", strconv.Itoa(s.httpPort)), "Envoy's HTTP", "choose another with --http-port"},
		{s.xdsAddress(), "our server's xDS", "choose another with --xds-port"},
		{s.healthAddress(), "our server's health", "choose another with --health-port"},
		{loopback(s.adminPort), "Envoy's admin", "choose another with --admin-port"},
	}
	for _, backend := range world.backends {
		all = append(all, address{backend.hostport, "the backend of " + backend.service, "choose another in the EndpointSlice in " + backend.file})
	}
	return all
}

// checkPorts returns an error that names the first address that somebody has.
// Envoy must not be left to find out: it would share a port with another Envoy, and
// each would get a part of the requests.
func checkPorts(addresses []address) error {
	for _, a := range addresses {
		listener, err := net.Listen("tcp", a.hostport)
		if err == nil {
			err = listener.Close()
		}
		if err == nil {
			continue
		}
		_, port, splitErr := net.SplitHostPort(a.hostport)
		if splitErr != nil {
			return errors.Join(err, splitErr)
		}
		return inUse(a, port, err)
	}
	return nil
}
