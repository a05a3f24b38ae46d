//! What a browser or a program sends.

/// One request to be.
#[derive(Clone)]
pub struct Req {
    pub method: String,
    pub scheme: String,
    pub authority: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Option<String>,
    /// Pseudo header fields that do not come.
    pub lacks: Vec<String>,
    /// From another site's page: `Lax` cookies travel only with safe navigations, others with none.
    pub cross_site: bool,
}

/// A page that a browser loads.
pub fn get(path: &str) -> Req {
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    Req::new("GET", path)
        .with("accept", html)
        .with("sec-fetch-mode", "navigate")
        .with("sec-fetch-dest", "document")
        .with("sec-fetch-site", "none")
}

/// What a script of a page, or a program, asks for.
pub fn background(path: &str) -> Req {
    Req::new("GET", path).with("accept", "application/json")
}

/// A form that a page of another site sends, as `form_post` does.
pub fn post(path: &str, form: &str) -> Req {
    let mut request = get(path).with("content-type", "application/x-www-form-urlencoded");
    request.method = "POST".to_owned();
    request.body = Some(form.to_owned());
    request.cross_site = true;
    request
}

impl Req {
    fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            scheme: "https".to_owned(),
            authority: "shop.example.com".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            lacks: Vec::new(),
            cross_site: false,
        }
    }

    /// The same with one header field more.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The same with an access token (RFC 6750 §2.1).
    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    /// The same with a name and its secret (RFC 7617).
    pub fn basic(self, name: &str, secret: &str) -> Self {
        use base64::Engine;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{secret}"));
        self.with("authorization", format!("Basic {pair}"))
    }

    /// The same without any header field of this name.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// The same without this pseudo header field.
    pub fn strip(mut self, pseudo: &str) -> Self {
        self.lacks.push(pseudo.to_owned());
        self
    }

    /// The same with another method.
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// The same to another host.
    pub fn to(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    /// The same over plain HTTP.
    pub fn over_http(mut self) -> Self {
        "http".clone_into(&mut self.scheme);
        self
    }

    /// All header fields as the host hands them over, pseudo header fields first.
    pub fn fields(&self) -> Vec<(String, Vec<u8>)> {
        let pseudo = [
            (":method", &self.method),
            (":scheme", &self.scheme),
            (":authority", &self.authority),
            (":path", &self.path),
        ];
        let pseudo = pseudo.into_iter().filter(|(name, _)| !self.lacks.iter().any(|lacks| lacks == name));
        let pseudo = pseudo.map(|(name, value)| (name.to_owned(), value.clone().into_bytes()));
        pseudo.chain(self.headers.iter().cloned()).collect()
    }
}
