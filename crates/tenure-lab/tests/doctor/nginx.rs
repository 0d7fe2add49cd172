//! A real nginx in front of a service.

use tenure_lab::process::{Launch, Port, Server};

use crate::place::Place;

/// The running proxy; it ends with this value.
pub(crate) struct Nginx(Server);

impl Nginx {
    /// With these directives in `http` and in its one `server`; `{port}` in them is its own.
    pub(crate) fn start(place: &Place, http: &str, server: &str) -> Self {
        let port = Port::reserve().unwrap();
        let directory = place.path("nginx");
        std::fs::create_dir(&directory).unwrap();
        let directory = directory.to_str().unwrap();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {directory}/{kind};"))
            .join(" ");
        // One process, so that killing it leaves none behind.
        let config = format!(
            "daemon off; master_process off; pid {directory}/pid; error_log stderr notice;\n\
             events {{}}\n\
             http {{ access_log off; {temporary}\n{http}\n\
             server {{ listen {address};\n{server}\n}} }}\n",
            address = port.address(),
        );
        place.write("nginx/nginx.conf", &config);
        // It has bound its port by then.
        let launch = Launch::new("/usr/sbin/nginx")
            .args(["-p", directory, "-c", "nginx.conf", "-e", "stderr"])
            .ready_when("event method")
            .on(port);
        Self(launch.start().unwrap())
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0.url())
    }
}
