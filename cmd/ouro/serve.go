package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/ourodb/ouro/internal/config"
	"github.com/ourodb/ouro/internal/datadir"
	"github.com/ourodb/ouro/internal/dev"
	"github.com/ourodb/ouro/internal/frontend/admin"
	"github.com/ourodb/ouro/internal/server"
)

const serveLong = `Run one node until SIGTERM or Ctrl-C: then it refuses new requests, finishes those
under way, and stops. A second signal stops it at once.

Every setting is a flag, a variable (OURO_PEER_LISTEN for --peer-listen) and a key
of the file that --config names; a flag goes over the environment, that over the
file, that over the default. 'ouro config show' prints what is in force and why.

Without --members and --seeds an empty data folder founds a cluster of one. With
equal --members on every node they form a cluster of those. With --seeds alone the
node waits to be joined, and owns nothing until then. After the first start the data
folder knows the cluster, whatever --members says; with another --peer-listen or
--advertise a node tells the others where it is now.

Exit code 3 means that the disk failed a sync: the node acknowledges nothing more
and what was in flight is unknown. Look after the disk before starting it again.
Exit code 4 means that another process of this node is alive: a data folder was
copied, or two folders have one --id. Stop one of the two; see docs/operate.md.`

func newServeCommand() *cobra.Command {
	var file string
	var leash string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run one node",
		Long:  serveLong,
		Example: `  ouro serve                                      a cluster of one in ./ouro-data
  ouro serve --config /etc/ouro/ouro.toml
  ouro serve --id n2 --cluster shop --cluster-key-file shop.key \
      --listen 127.0.0.1:7080 --peer-listen 127.0.0.1:7081 --admin-listen 127.0.0.1:7082 --resp-listen off --grpc-listen 127.0.0.1:7088 \
      --members n1=127.0.0.1:7071,n2=127.0.0.1:7081,n3=127.0.0.1:7091 --data ./n2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			return serve(cmd, cfg, leash)
		},
	}
	addConfigFlags(cmd, &file)
	cmd.Flags().StringVar(&leash, "dev-leash", "", "end with the process that holds the pipe at descriptor 3 and runs the dev cluster in this `folder`, and take faults")
	_ = cmd.Flags().MarkHidden("dev-leash") // fails for a flag that does not exist
	return cmd
}

// addConfigFlags adds --config and a flag for every setting.
func addConfigFlags(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "config", "", "`file` with settings, in TOML (OURO_CONFIG)")
	config.BindFlags(cmd.Flags())
}

// loadConfig reads and checks the settings. What nobody set is taken from the
// data folder, where that has been served before.
func loadConfig(cmd *cobra.Command, file string) (*config.Config, config.Origins, error) {
	if file == "" {
		file = os.Getenv("OURO_CONFIG")
	}
	cfg, origins, err := config.Load(file, os.Environ(), cmd.Flags())
	if err != nil {
		return nil, nil, &exitError{exitWrongUse, err}
	}
	if err := fromFolder(cfg, origins); err != nil {
		return nil, nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, nil, &exitError{exitWrongUse, err}
	}
	return cfg, origins, nil
}

// fromFolder fills in who the data folder belongs to where nothing else says it.
func fromFolder(cfg *config.Config, origins config.Origins) error {
	id, found, err := datadir.Peek(cfg.Data)
	if err != nil || !found {
		return err
	}
	take := func(name string, set func()) {
		if origins[name] == "default" {
			set()
			origins[name] = "data folder " + cfg.Data
		}
	}
	take("id", func() { cfg.ID = id.Node })
	take("cluster", func() { cfg.Cluster = id.Cluster })
	take("q", func() { cfg.Q = id.Q })
	take("engine", func() { cfg.Engine = id.Engine })
	return nil
}

// serve runs a node until a signal ends it.
func serve(cmd *cobra.Command, cfg *config.Config, leash string) error {
	if leash != "" {
		dev.Leash(func() { os.Exit(exitFailed) })
	}
	v := readVersion()
	err := server.Run(cfg, server.Options{
		Build: admin.Build{Version: v.Version, Commit: v.Revision, Go: v.Go}, Playground: leash, Log: cmd.ErrOrStderr(),
	})
	var twin *server.TwinError
	if errors.As(err, &twin) {
		return &exitError{server.ExitTwin, err}
	}
	return err
}
