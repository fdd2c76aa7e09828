-- What a repository is called in Chinese, where its newest version's labels say so.

ALTER TABLE repository ADD COLUMN title_zh TEXT NOT NULL DEFAULT '';
