//! A sheet of paper to write and draw on, from the top down: what a page needs of krilla, and no more. Lengths are in points,
//! from the top left corner.

use krilla::color::{luma, rgb};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule, LineCap, LineJoin, Paint, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

const REGULAR: &[u8] = include_bytes!("fonts/OpenSans-Regular.ttf");
const STRONG: &[u8] = include_bytes!("fonts/OpenSans-Semibold.ttf");

/// What stands for a character that the fonts do not have.
const UNKNOWN: char = '?';

/// How heavy words are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    Regular,
    Strong,
}

/// A colour, chosen so that it can be told apart in grey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// What is read first.
    Black,
    /// What explains it.
    Grey,
    /// Lines to hold on to.
    Pale,
    /// The ground of what stands out.
    Ground,
    /// What is drawn.
    Blue,
}

impl Ink {
    fn paint(self) -> Paint {
        match self {
            Self::Black => luma::Color::new(25).into(),
            Self::Grey => luma::Color::new(95).into(),
            Self::Pale => luma::Color::new(205).into(),
            Self::Ground => luma::Color::new(243).into(),
            Self::Blue => rgb::Color::new(32, 84, 130).into(),
        }
    }
}

/// How words look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub weight: Weight,
    pub size: f32,
    pub ink: Ink,
}

impl Style {
    pub const fn new(weight: Weight, size: f32, ink: Ink) -> Self {
        Self { weight, size, ink }
    }

    /// From one line to the next.
    pub fn leading(self) -> f32 {
        self.size * 1.32
    }
}

/// A font: what draws it, and what measures it.
struct Face {
    font: Font,
    measure: FontRef<'static>,
}

impl Face {
    fn open(bytes: &'static [u8]) -> Option<Self> {
        Some(Self { font: Font::new(bytes.into(), 0)?, measure: FontRef::new(bytes).ok()? })
    }

    /// The text in characters that the font has.
    fn readable(&self, text: &str) -> String {
        let charmap = self.measure.charmap();
        let known = |letter: char| if charmap.map(letter).is_some() { letter } else { UNKNOWN };
        text.chars().filter(|letter| !letter.is_control()).map(known).collect()
    }

    fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let charmap = self.measure.charmap();
        let metrics = self.measure.glyph_metrics(Size::new(1.0), LocationRef::default());
        let glyph = |(start, letter): (usize, char)| {
            let glyph = charmap.map(letter)?;
            let range = start..start + letter.len_utf8();
            let advance = metrics.advance_width(glyph).unwrap_or_default();
            Some(KrillaGlyph::new(GlyphId::new(glyph.to_u32()), advance, 0.0, 0.0, 0.0, range, None))
        };
        text.char_indices().filter_map(glyph).collect()
    }

    fn width(&self, text: &str) -> f32 {
        self.glyphs(&self.readable(text)).iter().map(|glyph| glyph.x_advance).sum()
    }
}

/// The fonts.
pub struct Faces {
    regular: Face,
    strong: Face,
}

impl Faces {
    /// `None` if a font is broken. A defect.
    pub fn open() -> Option<Self> {
        Some(Self { regular: Face::open(REGULAR)?, strong: Face::open(STRONG)? })
    }

    const fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Strong => &self.strong,
        }
    }

    /// How wide words are.
    pub fn width(&self, words: &str, style: Style) -> f32 {
        self.face(style.weight).width(words) * style.size
    }

    /// The words in lines that are no wider than `width`, broken between words where there are any.
    pub fn lines(&self, words: &str, style: Style, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in words.lines() {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if self.width(&longer, style) <= width {
                    line = longer;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                line = self.broken(word, style, width, &mut lines);
            }
            lines.push(line);
        }
        lines
    }

    /// Breaks a word that no line has room for; its end is still to be written.
    fn broken(&self, word: &str, style: Style, width: f32, lines: &mut Vec<String>) -> String {
        let mut line = String::new();
        for letter in word.chars() {
            line.push(letter);
            if self.width(&line, style) > width && line.chars().nth(1).is_some() {
                line.pop();
                lines.push(std::mem::take(&mut line));
                line.push(letter);
            }
        }
        line
    }

    /// The words, cut where they are wider than `width`.
    pub fn cut(&self, words: &str, style: Style, width: f32) -> String {
        if self.width(words, style) <= width {
            return words.to_owned();
        }
        let mut kept = words.to_owned();
        while kept.pop().is_some() && self.width(&format!("{kept}…"), style) > width {}
        format!("{}…", kept.trim_end())
    }
}

/// What is written and drawn on.
pub struct Sheet<'a, 's> {
    pub faces: &'a Faces,
    pub surface: &'a mut Surface<'s>,
}

impl Sheet<'_, '_> {
    /// Words that begin at `x`; `y` is where they stand.
    pub fn words(&mut self, words: &str, style: Style, x: f32, y: f32) {
        let face = self.faces.face(style.weight);
        let text = face.readable(words);
        let glyphs = face.glyphs(&text);
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(fill(style.ink)));
        self.surface.draw_glyphs(Point::from_xy(x, y), &glyphs, face.font.clone(), &text, style.size, false);
    }

    /// Words that end at `x`.
    pub fn words_to(&mut self, words: &str, style: Style, x: f32, y: f32) {
        let width = self.faces.width(words, style);
        self.words(words, style, x - width, y);
    }

    /// Words with their middle at `x`.
    pub fn words_around(&mut self, words: &str, style: Style, x: f32, y: f32) {
        let width = self.faces.width(words, style);
        self.words(words, style, x - width / 2.0, y);
    }

    /// An area.
    pub fn area(&mut self, ink: Ink, [x, y, width, height]: [f32; 4]) {
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(rect);
        }
        self.fill_path(ink, path);
    }

    /// A dot.
    pub fn dot(&mut self, ink: Ink, (x, y): (f32, f32), radius: f32) {
        // A circle of four curves (the usual 0.5523).
        let (k, r) = (radius * 0.5523, radius);
        let mut path = PathBuilder::new();
        path.move_to(x + r, y);
        path.cubic_to(x + r, y + k, x + k, y + r, x, y + r);
        path.cubic_to(x - k, y + r, x - r, y + k, x - r, y);
        path.cubic_to(x - r, y - k, x - k, y - r, x, y - r);
        path.cubic_to(x + k, y - r, x + r, y - k, x + r, y);
        path.close();
        self.fill_path(ink, path);
    }

    /// A line through points.
    pub fn line(&mut self, ink: Ink, width: f32, points: &[(f32, f32)]) {
        let [first, others @ ..] = points else { return };
        let mut path = PathBuilder::new();
        path.move_to(first.0, first.1);
        for (x, y) in others {
            path.line_to(*x, *y);
        }
        let Some(path) = path.finish() else { return };
        self.surface.set_fill(None);
        let stroke = Stroke {
            paint: ink.paint(),
            width,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        self.surface.set_stroke(Some(stroke));
        self.surface.draw_path(&path);
    }

    fn fill_path(&mut self, ink: Ink, path: PathBuilder) {
        let Some(path) = path.finish() else { return };
        self.surface.set_stroke(None);
        self.surface.set_fill(Some(fill(ink)));
        self.surface.draw_path(&path);
    }
}

fn fill(ink: Ink) -> Fill {
    Fill { paint: ink.paint(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}
