//! The keys of the words for what can be shared, and how.

use crate::domain::category::{Category, Detail};
use crate::domain::grant::{Purpose, Terms, WayBack};

/// What a category is called.
pub const fn category(category: Category) -> &'static str {
    match category {
        Category::Mood => "category-mood",
        Category::Note => "category-note",
        Category::Tags => "category-tags",
        Category::Sleep => "category-sleep",
        Category::Activity => "category-activity",
        Category::Heart => "category-heart",
        Category::Questionnaires => "category-questionnaires",
        Category::Agenda => "category-agenda",
        Category::Community => "category-community",
    }
}

/// What is in a category.
pub const fn category_more(category: Category) -> &'static str {
    match category {
        Category::Mood => "category-mood-more",
        Category::Note => "category-note-more",
        Category::Tags => "category-tags-more",
        Category::Sleep => "category-sleep-more",
        Category::Activity => "category-activity-more",
        Category::Heart => "category-heart-more",
        Category::Questionnaires => "category-questionnaires-more",
        Category::Agenda => "category-agenda-more",
        Category::Community => "category-community-more",
    }
}

/// How finely; `None`: not at all.
pub const fn detail(detail: Option<Detail>) -> &'static str {
    match detail {
        None => "detail-off",
        Some(Detail::WeeklySummary) => "detail-weekly",
        Some(Detail::DailySummary) => "detail-daily",
        Some(Detail::EveryEntry) => "detail-every",
    }
}

/// What for.
pub const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Treatment => "purpose-treatment",
        Purpose::CareManagement => "purpose-care",
    }
}

/// What comes back.
pub const fn way_back(way_back: WayBack) -> &'static str {
    match way_back {
        WayBack::None => "back-none",
        WayBack::Notice => "back-notice",
        WayBack::Full => "back-full",
    }
}

/// What terms share, each category with how finely.
pub fn shared(terms: &Terms) -> Vec<(&'static str, &'static str)> {
    terms.categories.iter().map(|(shared, finely)| (category(*shared), detail(Some(*finely)))).collect()
}
