//! A page as a browser understands it: elements within elements. Pages here close every tag that HTML has closed, which is
//! looked at on the way.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// Elements that have nothing in them (HTML, section 13.1.2).
const VOID: [&str; 8] = ["br", "hr", "img", "input", "link", "meta", "source", "wbr"];

/// An element with everything in it.
#[derive(Default, Debug)]
pub struct Element {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub children: Vec<Child>,
}

/// What is in an element.
#[derive(Debug)]
pub enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    /// The whole page.
    pub fn page(html: &str) -> Self {
        let mut reader = Reader::from_str(html);
        reader.config_mut().check_end_names = false;
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{error}: {html}")) {
                Event::Start(start) => {
                    let element = Self::of(&start);
                    if VOID.contains(&element.name.as_str()) {
                        open.last_mut().unwrap().children.push(Child::Element(element));
                    } else {
                        open.push(element);
                    }
                }
                Event::Empty(start) => {
                    open.last_mut().unwrap().children.push(Child::Element(Self::of(&start)));
                }
                Event::End(end) => {
                    let element = open.pop().unwrap();
                    assert_eq!(element.name.as_str(), AsRef::<str>::as_ref(&end.name().as_ref()), "{html}");
                    open.last_mut().unwrap().children.push(Child::Element(element));
                }
                Event::Text(text) => {
                    let text = text.html_content().into_owned();
                    open.last_mut().unwrap().says(&text);
                }
                Event::GeneralRef(reference) => {
                    let sign = reference.resolve_char_ref().unwrap().unwrap().to_string();
                    open.last_mut().unwrap().says(&sign);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(open.len(), 1, "something is not closed: {html}");
        open.pop().unwrap()
    }

    fn of(start: &BytesStart<'_>) -> Self {
        let attributes = start.html_attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let value = unescape(&attribute.value).unwrap().into_owned();
            (AsRef::<str>::as_ref(&attribute.key.as_ref()).to_owned(), value)
        });
        let name = AsRef::<str>::as_ref(&start.name().as_ref()).to_owned();
        Self { name, attributes: attributes.collect(), children: Vec::new() }
    }

    /// Texts that follow each other are one.
    fn says(&mut self, more: &str) {
        match self.children.last_mut() {
            Some(Child::Text(text)) => text.push_str(more),
            _ => self.children.push(Child::Text(more.to_owned())),
        }
    }

    /// Everything within that is like this, in the order in which it stands on the page.
    pub fn all(&self, is_like: &dyn Fn(&Self) -> bool) -> Vec<&Self> {
        let mut found = Vec::new();
        for child in &self.children {
            if let Child::Element(element) = child {
                if is_like(element) {
                    found.push(element);
                }
                found.extend(element.all(is_like));
            }
        }
        found
    }

    /// Everything within of this name.
    pub fn named(&self, name: &str) -> Vec<&Self> {
        self.all(&|element| element.name == name)
    }

    /// Everything within of this class.
    pub fn of_class(&self, class: &str) -> Vec<&Self> {
        self.all(&|element| element.get("class").split(' ').any(|found| found == class))
    }

    /// What has this id.
    pub fn by_id(&self, id: &str) -> &Self {
        let found = self.all(&|element| element.get("id") == id);
        assert_eq!(found.len(), 1, "#{id}");
        found[0]
    }

    /// The field of this name; of several, the first.
    pub fn field(&self, name: &str) -> &Self {
        self.all(&|element| element.get("name") == name && element.name != "meta")[0]
    }

    /// An attribute; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Where the links within lead.
    pub fn links(&self) -> Vec<&str> {
        self.named("a").iter().map(|link| link.get("href")).collect()
    }

    /// What it says, as it stands.
    pub fn exactly(&self) -> String {
        let text = |child: &Child| match child {
            Child::Element(element) => element.exactly(),
            Child::Text(text) => text.clone(),
        };
        self.children.iter().map(text).collect()
    }

    /// What it says, words and elements parted by single spaces.
    pub fn text(&self) -> String {
        let text = |child: &Child| match child {
            Child::Element(element) => element.text(),
            Child::Text(text) => text.clone(),
        };
        let texts: Vec<String> = self.children.iter().map(text).collect();
        texts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
