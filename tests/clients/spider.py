"""Crawls a site on loopback and hands every page to the pipeline, under key names of its own."""

from datetime import datetime, timezone

import scrapy


class PageSpider(scrapy.Spider):
    name = "pages"

    def __init__(self, start_url, **settings):
        super().__init__(**settings)
        self.start_urls = [start_url]

    def parse(self, response):
        yield {
            "link": response.url,
            "fetched_at": datetime.now(timezone.utc).isoformat(),
            "status": response.status,
            "body": response.text,
        }
        for href in response.css("a::attr(href)").getall():
            yield response.follow(href, self.parse)
