//! The configuration of an Envoy under test: one listener with the filter, the upstream behind it, a cluster a provider.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{module, ports};

/// What a test wants of its Envoy. Two workers unless it says otherwise, Envoy's own cleaning of requests switched on.
#[derive(Clone)]
pub struct Setup {
    /// Where the gate will listen: chosen at once, since the filter's configuration names it.
    pub port: u16,
    /// Where Envoy's admin pages will be.
    pub admin_port: u16,
    pub(crate) workers: u32,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) may_panic: bool,
    module: Option<PathBuf>,
    filter: Value,
    upstream: Option<(u16, Protocol)>,
    clusters: Vec<(String, u16, Protocol)>,
    tls: Vec<(String, Value)>,
    elsewhere: Vec<(String, String)>,
    body_paths: Vec<String>,
    rewrites: Vec<(String, String)>,
    cleaning: Cleaning,
    http10: bool,
    idle_timeout: Option<String>,
}

/// What is spoken to a cluster.
#[derive(Clone, Copy, PartialEq)]
enum Protocol {
    Http1,
    Http2,
}

/// Whether Envoy normalises paths and drops odd headers before the filter sees a request.
#[derive(Clone, Copy, PartialEq)]
enum Cleaning {
    Envoys,
    None,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup::new()
    }
}

impl Setup {
    /// Ports are chosen, everything else is still to be said.
    pub fn new() -> Setup {
        Setup {
            port: ports::free(),
            admin_port: ports::free(),
            workers: 2,
            environment: Vec::new(),
            may_panic: false,
            module: None,
            filter: json!({}),
            upstream: None,
            clusters: Vec::new(),
            tls: Vec::new(),
            elsewhere: Vec::new(),
            body_paths: Vec::new(),
            rewrites: Vec::new(),
            cleaning: Cleaning::Envoys,
            http10: false,
            idle_timeout: None,
        }
    }

    /// Another build of the filter, which may panic, as a test of that wants it.
    pub fn panicking(mut self, module: PathBuf) -> Setup {
        self.module = Some(module);
        self.may_panic = true;
        self
    }

    /// The filter's configuration.
    pub fn filter(mut self, filter: Value) -> Setup {
        self.filter = filter;
        self
    }

    /// The service behind the gate, reached by HTTP/1.1.
    pub fn upstream(mut self, port: u16) -> Setup {
        self.upstream = Some((port, Protocol::Http1));
        self
    }

    /// The service behind the gate, reached by HTTP/2 (gRPC, trailers).
    pub fn upstream_http2(mut self, port: u16) -> Setup {
        self.upstream = Some((port, Protocol::Http2));
        self
    }

    /// As [`Setup::upstream_http2`], for the service that is already chosen.
    pub fn speaking_http2(mut self) -> Setup {
        self.upstream = self.upstream.map(|(port, _)| (port, Protocol::Http2));
        self
    }

    /// Envoy takes HTTP/1.0, which knows requests without a host.
    pub fn with_http10(mut self) -> Setup {
        self.http10 = true;
        self
    }

    /// After how long Envoy ends a stream on which nothing happens; five minutes unless it is said.
    pub fn idle_timeout(mut self, span: &str) -> Setup {
        self.idle_timeout = Some(span.into());
        self
    }

    /// A cluster that the filter may call.
    pub fn cluster(mut self, name: &str, port: u16) -> Setup {
        self.clusters.push((name.into(), port, Protocol::Http1));
        self
    }

    /// A cluster that the filter may call by HTTP/2.
    pub fn cluster_http2(mut self, name: &str, port: u16) -> Setup {
        self.clusters.push((name.into(), port, Protocol::Http2));
        self
    }

    /// A cluster is reached by TLS, with this `common_tls_context`, under the name `localhost`.
    pub fn tls(mut self, name: &str, context: Value) -> Setup {
        self.tls.push((name.into(), context));
        self
    }

    /// A cluster, `upstream` among them, is on this host and reached by TLS. Nobody looks at its certificate: it is for what
    /// tests us, and signs its own.
    pub fn elsewhere(mut self, name: &str, host: &str) -> Setup {
        self.elsewhere.push((name.into(), host.into()));
        self
    }

    /// Adds the second instance of the filter, which may read bodies, and routes this path to it.
    pub fn bodies_at(mut self, path: &str) -> Setup {
        self.body_paths.push(path.into());
        self
    }

    /// A route that puts one prefix in the place of another.
    pub fn rewriting(mut self, prefix: &str, by: &str) -> Setup {
        self.rewrites.push((prefix.into(), by.into()));
        self
    }

    /// How many workers.
    pub fn workers(mut self, workers: u32) -> Setup {
        self.workers = workers;
        self
    }

    /// A variable of Envoy's environment that the filter may read.
    pub fn env(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Paths and header names reach the filter as the client wrote them: what the filter does about them is the test.
    pub fn without_envoys_cleaning(mut self) -> Setup {
        self.cleaning = Cleaning::None;
        self
    }

    /// The whole bootstrap with the listener in it: a filter that refuses its configuration ends Envoy's start.
    pub(crate) fn bootstrap(&self) -> Value {
        let mut bootstrap = self.bootstrap_without_listener();
        bootstrap["static_resources"]["listeners"] = json!([self.listener()]);
        bootstrap
    }

    /// A bootstrap that takes its listener from a file, which can change while Envoy runs.
    pub(crate) fn bootstrap_watching(&self, file: &str) -> Value {
        let mut bootstrap = self.bootstrap_without_listener();
        bootstrap["node"] = json!({ "id": "under-test", "cluster": "under-test" });
        bootstrap["dynamic_resources"] = json!({
            "lds_config": { "resource_api_version": "V3", "path_config_source": { "path": file } }
        });
        bootstrap
    }

    /// The listener as the answer of a discovery service, for that file.
    pub(crate) fn discovery_answer(&self, version: u32) -> Value {
        let mut listener = self.listener();
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        json!({ "version_info": version.to_string(), "resources": [listener] })
    }

    fn bootstrap_without_listener(&self) -> Value {
        let upstream = self.upstream.map(|(port, protocol)| cluster("upstream", port, protocol));
        let called = self.clusters.iter().map(|(name, port, protocol)| cluster(name, *port, *protocol));
        let mut clusters: Vec<Value> = called.chain(upstream).collect();
        for cluster in &mut clusters {
            let name = cluster["name"].clone();
            if let Some((_, host)) = self.elsewhere.iter().find(|(known, _)| name == known.as_str()) {
                cluster["type"] = json!("LOGICAL_DNS");
                cluster["dns_lookup_family"] = json!("V4_PREFERRED");
                let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
                endpoint["address"]["socket_address"]["address"] = json!(host);
                cluster["transport_socket"] = tls(host, &json!({}));
            }
            if let Some((_, context)) = self.tls.iter().find(|(known, _)| name == known.as_str()) {
                cluster["transport_socket"] = tls("localhost", context);
            }
        }
        json!({ "admin": { "address": address(self.admin_port) }, "static_resources": { "clusters": clusters } })
    }

    fn listener(&self) -> Value {
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "gate",
            "codec_type": "AUTO",
            "use_remote_address": true,
            "upgrade_configs": [{ "upgrade_type": "websocket" }],
            "http_protocol_options": { "enable_trailers": true, "accept_http_10": self.http10 },
            "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": self.routes() }] },
            "http_filters": self.http_filters(),
        });
        if let Some(span) = &self.idle_timeout {
            manager["stream_idle_timeout"] = json!(span);
        }
        if self.cleaning == Cleaning::Envoys {
            manager["normalize_path"] = json!(true);
            manager["merge_slashes"] = json!(true);
            manager["path_with_escaped_slashes_action"] = json!("REJECT_REQUEST");
            manager["common_http_protocol_options"] = json!({ "headers_with_underscores_action": "DROP_HEADER" });
        }
        json!({
            "name": "gate",
            "address": address(self.port),
            "filter_chains": [{
                "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }]
            }],
        })
    }

    fn routes(&self) -> Vec<Value> {
        // No timeout of the route: streams last as long as the test wants.
        let action = match self.upstream {
            Some(_) => json!({ "route": { "cluster": "upstream", "timeout": "0s" } }),
            None => {
                json!({ "direct_response": { "status": 200, "body": { "inline_string": "upstream" } } })
            }
        };
        let with = |matching: Value| {
            let mut route = action.clone();
            route["match"] = matching;
            route
        };
        let mut routes = Vec::new();
        for path in &self.body_paths {
            let mut route = with(json!({ "path": path }));
            let config = "type.googleapis.com/envoy.config.route.v3.FilterConfig";
            route["typed_per_filter_config"] = json!({
                "oidc": { "@type": config, "disabled": true },
                "oidc_bodies": { "@type": config, "config": {} },
            });
            routes.push(route);
        }
        for (prefix, by) in &self.rewrites {
            let mut route = with(json!({ "prefix": prefix }));
            route["route"]["prefix_rewrite"] = json!(by);
            routes.push(route);
        }
        routes.push(with(json!({ "prefix": "/" })));
        routes
    }

    fn http_filters(&self) -> Vec<Value> {
        let mut filters = vec![json!({ "name": "oidc", "typed_config": self.wasm("oidc", self.filter.clone()) })];
        if !self.body_paths.is_empty() {
            let mut readable = self.filter.clone();
            readable["bodies"] = json!("readable");
            let mut config = self.wasm("oidc_bodies", readable);
            config["config"]["allow_on_headers_stop_iteration"] = json!(true);
            filters.push(json!({ "name": "oidc_bodies", "disabled": true, "typed_config": config }));
        }
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }));
        filters
    }

    fn wasm(&self, name: &str, configuration: Value) -> Value {
        let variables: Vec<&str> = self.environment.iter().map(|(name, _)| name.as_str()).collect();
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": name,
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": "under-test",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": self.module.clone().unwrap_or_else(module) } },
                    "environment_variables": { "host_env_keys": variables },
                },
                "configuration": { "@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration },
            },
        })
    }
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn tls(host: &str, context: &Value) -> Value {
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": host,
            "common_tls_context": context,
        },
    })
}

fn cluster(name: &str, port: u16, protocol: Protocol) -> Value {
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(port) } }] }],
        },
    });
    if protocol == Protocol::Http2 {
        let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        cluster["typed_extension_protocol_options"] = json!({
            options: {
                "@type": format!("type.googleapis.com/{options}"),
                "explicit_http_config": { "http2_protocol_options": {} },
            }
        });
    }
    cluster
}
