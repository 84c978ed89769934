package redisserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Cluster is a Redis cluster without replicas.
type Cluster struct{ Nodes []*Server }

// StartCluster starts a cluster of three and waits until it serves every slot.
func StartCluster(dir string) (*Cluster, error) {
	c := &Cluster{}
	create := []string{"--cluster", "create"}
	for i := range 3 {
		s, err := Start(dir, "--cluster-enabled", "yes",
			"--cluster-config-file", fmt.Sprintf("nodes-%d.conf", i), "--cluster-node-timeout", "2000")
		if err != nil {
			c.Kill()
			return nil, err
		}
		c.Nodes = append(c.Nodes, s)
		create = append(create, s.Addr())
	}
	create = append(create, "--cluster-replicas", "0", "--cluster-yes")
	if output, err := exec.Command("redis-cli", create...).CombinedOutput(); err != nil {
		c.Kill()
		return nil, fmt.Errorf("redis-cli --cluster create: %w\n%s", err, output)
	}
	if err := c.waitUntilTheyServe(); err != nil {
		c.Kill()
		return nil, err
	}
	return c, nil
}

// waitUntilTheyServe waits until every node knows that all slots are served,
// which is a while after they are.
func (c *Cluster) waitUntilTheyServe() error {
	deadline := time.Now().Add(startTime)
	for _, s := range c.Nodes {
		client := redis.NewClient(&redis.Options{Addr: s.Addr()})
		defer func() { _ = client.Close() }()
		for {
			info, err := client.ClusterInfo(context.Background()).Result()
			if err == nil && strings.Contains(info, "cluster_state:ok") {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("the cluster does not serve: %s, %w", info, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// Addrs are the addresses of the nodes.
func (c *Cluster) Addrs() (addrs []string) {
	for _, s := range c.Nodes {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Kill kills all nodes.
func (c *Cluster) Kill() {
	for _, s := range c.Nodes {
		s.Kill()
	}
}

// MasterName is what sentinels call their primary.
const MasterName = "tokens"

// Guarded is a primary and a replica, watched by three sentinels.
type Guarded struct {
	Primary, Replica *Server
	Sentinels        []*Server
}

// StartGuarded starts two servers and three sentinels, and waits until they know
// each other.
func StartGuarded(dir string) (*Guarded, error) {
	g := &Guarded{}
	var err error
	if g.Primary, err = Start(dir); err != nil {
		return nil, err
	}
	if g.Replica, err = Start(dir, "--replicaof", "127.0.0.1", strconv.Itoa(g.Primary.Port())); err != nil {
		g.Kill()
		return nil, err
	}
	for i := range 3 {
		name := filepath.Join(dir, fmt.Sprintf("sentinel-%d.conf", i))
		config := fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]d 2\n"+
			"sentinel down-after-milliseconds %[1]s 500\n"+
			"sentinel failover-timeout %[1]s 3000\n", MasterName, g.Primary.Port())
		if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
			g.Kill()
			return nil, err
		}
		s, err := startSentinel(dir, name)
		if err != nil {
			g.Kill()
			return nil, err
		}
		g.Sentinels = append(g.Sentinels, s)
	}
	if err := g.waitUntilTheyKnowEachOther(); err != nil {
		g.Kill()
		return nil, err
	}
	return g, nil
}

func startSentinel(dir, configFile string) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{port: port, dir: dir, configFile: configFile}
	return s, s.Start()
}

func (g *Guarded) waitUntilTheyKnowEachOther() error {
	deadline := time.Now().Add(startTime)
	for _, s := range g.Sentinels {
		client := redis.NewSentinelClient(&redis.Options{Addr: s.Addr()})
		defer func() { _ = client.Close() }()
		for {
			state, err := client.Master(context.Background(), MasterName).Result()
			if err == nil && state["num-other-sentinels"] == "2" && state["num-slaves"] == "1" {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("the sentinels do not find each other: %v, %w", state, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// Addrs are the addresses of the sentinels.
func (g *Guarded) Addrs() (addrs []string) {
	for _, s := range g.Sentinels {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Kill kills all servers.
func (g *Guarded) Kill() {
	for _, s := range append(g.Sentinels, g.Replica, g.Primary) {
		if s != nil {
			s.Kill()
		}
	}
}
